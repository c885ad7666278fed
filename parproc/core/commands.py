"""Commands with ``{value}`` in them: a list of words, or text for a shell that no value can become a command of.

In text, a value of harmless characters is put where it stands. Any other becomes a shell variable, assigned ahead of
the text, and what is put there is an expansion of it: shells never look for commands in what an expansion gives. So a
value stays a value whatever surrounds it, and reading the quotes around it only decides how it is expanded.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from parproc.core.names import as_text
from parproc.errors import UserError

EXTRA_ARGS = 'extra_args'
_VALUE = re.compile(r'\$?\{\{[^\W\d]\w*\}\}|\$?\{[^\W\d]\w*\}')
_HARMLESS = re.compile(r'[A-Za-z0-9_@%+:,./-]+')
_NUMBER = re.compile(r'-?[0-9]+')
_HEREDOC = re.compile(r'<<-?[ \t]*(?:\'([^\'\n]+)\'|"([^"\n]+)"|(\\?)([^\s;&|<>()\'"]+))')


@dataclass(frozen=True, slots=True)
class Value:
    """A place for a value.

    Args:
        name: of the value.
        place: what surrounds it, as a shell reads it: ``plain``, quotes that are ``double`` or ``single``,
            ``arithmetic`` in ``$((…))``, a ``here``-document, or one that expands nothing, ``literal``.
    """

    name: str
    place: str = 'plain'


Piece: TypeAlias = str | Value


@dataclass(frozen=True, slots=True)
class Words:
    """A command that no shell sees: its words, each made of pieces."""

    words: tuple[tuple[Piece, ...], ...]

    def names(self) -> set[str]:
        """Return the names of the values."""
        return {piece.name for word in self.words for piece in word if isinstance(piece, Value)}

    def filled(self, values: Mapping[str, object], extra_args: Sequence[str]) -> tuple[str, ...]:
        """Return the words to run; a word that is just ``{extra_args}`` becomes as many as there are."""
        found: list[str] = []
        for word in self.words:
            if word == (Value(EXTRA_ARGS),):
                found.extend(extra_args)
                continue
            texts = {**values, EXTRA_ARGS: shlex.join(extra_args)}
            found.append(''.join(piece if isinstance(piece, str) else as_text(texts[piece.name]) for piece in word))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Text:
    """A command for ``sh -euc``."""

    pieces: tuple[Piece, ...]

    def names(self) -> set[str]:
        """Return the names of the values."""
        return {piece.name for piece in self.pieces if isinstance(piece, Value)}

    def filled(self, values: Mapping[str, object], extra_args: Sequence[str]) -> tuple[str, ...]:
        """Return the words to run.

        Raises:
            UserError: for a value that its place cannot take.
        """
        variables: dict[str, str] = {}
        parts: list[str] = []
        for piece in self.pieces:
            if isinstance(piece, str):
                parts.append(piece)
            elif piece.name == EXTRA_ARGS:
                between = ' ' if piece.place != 'single' else "' '"
                parts.append(between.join(_placed(text, piece, variables) for text in extra_args))
            else:
                parts.append(_placed(as_text(values[piece.name]), piece, variables))
        assigned = ''.join(f'{name}={shlex.quote(text)}; ' for text, name in variables.items())
        return ('/bin/sh', '-euc', assigned + ''.join(parts))


Command: TypeAlias = Words | Text


def _placed(text: str, value: Value, variables: dict[str, str]) -> str:
    """Return what stands for a value in a shell's text."""
    if value.place == 'arithmetic':
        if not _NUMBER.fullmatch(text):
            raise UserError(f'{{{value.name}}} is calculated with, and "{text}" is no whole number')
        return text
    if _HARMLESS.fullmatch(text):
        return text
    if value.place == 'literal':
        if '\n' in text:
            raise UserError(f'{{{value.name}}} stands in a quoted here-document, where its value cannot have lines')
        return text
    name = variables.setdefault(text, f'parproc_{len(variables)}')
    expansion = f'${{{name}}}'
    if value.place == 'plain':
        return f'"{expansion}"'
    return f'\'"{expansion}"\'' if value.place == 'single' else expansion


def words(texts: Sequence[str]) -> Words:
    """Return the command whose words are ``texts``, with ``{value}`` in them."""
    return Words(tuple(tuple(_pieces(text)) for text in texts))


def text(source: str) -> Text:
    """Return the command for a shell that ``source`` is, with ``{value}`` in it."""
    return Text(tuple(_Shell(source).pieces()))


def fill(source: str, values: Mapping[str, object]) -> str:
    """Return a text with ``{value}`` filled in; what nothing supplies stays as it is written."""
    return ''.join(
        piece if isinstance(piece, str) else as_text(values.get(piece.name, f'{{{piece.name}}}'))
        for piece in _pieces(source)
    )


def _pieces(source: str) -> list[Piece]:
    if '{' not in source:
        return [source]
    pieces: list[Piece] = []
    place = 0
    for found in _VALUE.finditer(source):
        if found[0].startswith('$'):
            continue
        pieces.append(source[place : found.start()])
        pieces.append(found[0][1:-1] if found[0].startswith('{{') else Value(found[0][1:-1]))
        place = found.end()
    pieces.append(source[place:])
    return _joined(pieces)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces without empty text, and with neighbouring text in one."""
    joined: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece != '':
            joined.append(piece)
    return joined


class _Shell:
    """Reads text as a shell would, as far as is needed to know what surrounds each value."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._stack: list[tuple[str, str]] = [('plain', '')]
        self._pending: list[tuple[str, bool]] = []
        self._found: list[Piece] = []

    def pieces(self) -> list[Piece]:
        """Return text and values."""
        source, place = self._source, 0
        if '{' not in source:
            return [source]
        while place < len(source):
            value = _VALUE.match(source, place)
            if value is not None:
                self._found.append(self._value(value[0], self._stack[-1][0]))
                place = value.end()
            elif source[place] == '\n' and self._pending and self._stack[-1][0] == 'plain':
                self._found.append('\n')
                place = self._here_documents(place + 1)
            else:
                width = self._step(place)
                self._found.append(source[place : place + width])
                place += width
        return _joined(self._found)

    @staticmethod
    def _value(found: str, place: str) -> Piece:
        if found.startswith('$'):
            return found
        return found[1:-1] if found.startswith('{{') else Value(found[1:-1], place)

    def _step(self, place: int) -> int:
        """Take in what stands at ``place``, and return how many characters that was."""
        source = self._source
        kind, closer = self._stack[-1]
        char = source[place]
        if closer and source.startswith(closer, place):
            self._stack.pop()
            return len(closer)
        if kind == 'single':
            return 1
        if char == '\\':
            return 2
        if source.startswith('$((', place):
            self._stack.append(('arithmetic', '))'))
            return 3
        if source.startswith('$(', place):
            self._stack.append(('plain', ')'))
            return 2
        if source.startswith('${', place):
            self._stack.append((kind, '}'))
            return 2
        if char == '`':
            self._stack.append(('plain', '`'))
        elif char == '"':
            self._stack.append(('double', '"'))
        elif kind == 'plain':
            return self._step_plain(place, char)
        return 1

    def _step_plain(self, place: int, char: str) -> int:
        source = self._source
        if char == "'":
            self._stack.append(('single', "'"))
        elif char == '(':
            self._stack.append(('plain', ')'))
        elif char == '#' and (place == 0 or source[place - 1] in ' \t\n;&|()'):
            end = source.find('\n', place)
            rest = source[place:] if end < 0 else source[place:end]
            value = _VALUE.search(rest)
            return value.start() or 1 if value is not None else len(rest)
        elif char == '<' and not source.startswith('<<<', place) and (found := _HEREDOC.match(source, place)):
            quoted = found[1] or found[2]
            self._pending.append((quoted or found[4], bool(quoted or found[3])))
            return found.end() - place
        return 1

    def _here_documents(self, place: int) -> int:
        """Take in the bodies of the here-documents that the line before has announced."""
        source = self._source
        for end_word, quoted in self._pending:
            while place < len(source):
                end = source.find('\n', place)
                end = len(source) if end < 0 else end + 1
                line = source[place:end]
                place = end
                if line.strip('\t\n') == end_word:
                    self._found.append(line)
                    break
                start = 0
                for found in _VALUE.finditer(line):
                    self._found.append(line[start : found.start()])
                    self._found.append(self._value(found[0], 'literal' if quoted else 'here'))
                    start = found.end()
                self._found.append(line[start:])
        self._pending = []
        return place
