"""Commands with ``{value}`` in them: a list of words, or text for a shell that no value can become a command of.

In text, a value of harmless characters is put where it stands, if it cannot mean anything else there. Any other becomes
a shell variable, assigned ahead of the text, and what is put there is an expansion of it: shells never look for
commands in what an expansion gives. What surrounds a value decides how it is expanded; :mod:`parproc.core.shell_text`
reads that.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from parproc.core import shell_text
from parproc.core.names import as_text
from parproc.core.shell_text import ValuePlace
from parproc.core.shell_words import MARK
from parproc.errors import UserError

EXTRA_ARGS = 'extra_args'
_PLAIN = ValuePlace('plain')
_WAY_OUT = 'hand it over in the environment: begin with export value={{{}}}, and write "$value" there'
_VALUE = re.compile(r'\$?\{\{[^\W\d]\w*\}\}|\$?\{[^\W\d]\w*\}')
_HARMLESS = re.compile(r'[A-Za-z0-9_@%+:,./-]+')
_NUMBER = re.compile(r'[-+]?(?:0[xX][0-9A-Fa-f]+|[0-9]+)')
_NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')
_EXPANDED = {'single': '\'"{}"\'', 'escaped': '\'"{}"$\'', 'double': '{}', 'here': '{}'}
_BETWEEN = {'single': "' '", 'escaped': "' $'"}


@dataclass(frozen=True, slots=True)
class Value:
    """A place for a value.

    Args:
        name: of the value.
        place: what surrounds it in text for a shell.
    """

    name: str
    place: ValuePlace = _PLAIN


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
                between = _BETWEEN.get(piece.place.kind, ' ')
                parts.append(between.join(_placed(text, piece, variables) for text in extra_args))
            else:
                parts.append(_placed(as_text(values[piece.name]), piece, variables))
        assigned = ''.join(f'{name}={_quoted(text)}; ' for text, name in variables.items())
        return ('/bin/sh', '-euc', assigned + ''.join(parts))


Command: TypeAlias = Words | Text


def _quoted(text: str) -> str:
    """Return a value in quotes, also where no POSIX shell needs any: zsh takes ``=ls`` for the path of a program."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _placed(text: str, value: Value, variables: dict[str, str]) -> str:
    """Return what stands for a value in a shell's text."""
    place = value.place
    if place.kind == 'comment':
        return f'{{{value.name}}}'
    if place.kind == 'arithmetic' or place.needs == 'number':
        if not _NUMBER.fullmatch(text):
            raise UserError(f'{{{value.name}}} is calculated with, and "{text}" is no whole number')
        if place.kind == 'arithmetic':
            return f'({text})' if text[0] in '-+' else text
    if place.needs == 'name' and not _NAME.fullmatch(text):
        raise UserError(f'{{{value.name}}} names a variable of the shell, and "{text}" is no name of one')
    if place.bare and _HARMLESS.fullmatch(text):
        return text
    name = variables.setdefault(text, f'parproc_{len(variables)}')
    return _EXPANDED.get(place.kind, '"{}"').format(f'${{{name}}}')


def words(texts: Sequence[str]) -> Words:
    """Return the command whose words are ``texts``, with ``{value}`` in them."""
    return Words(tuple(tuple(_pieces(text)) for text in texts))


def text(source: str) -> Text:
    """Return the command for a shell that ``source`` is, with ``{value}`` in it.

    Raises:
        UserError: when a value stands where it could not be kept one value.
    """
    pieces = _pieces(source)
    names = [piece.name for piece in pieces if isinstance(piece, Value)]
    if not names:
        return Text(tuple(pieces))
    if MARK in source:
        raise UserError('the text has a character that no shell takes, NUL')
    try:
        read, places = shell_text.read(''.join(piece if isinstance(piece, str) else MARK for piece in pieces))
    except UserError as error:
        number = error.value if isinstance(error, shell_text.UnreadableShellError) else None
        what = (
            'values cannot be put into this text'
            if number is None
            else f'{{{names[number]}}} cannot be put where it stands'
        )
        reason = error.message if number is None else f'it {error.message}'
        raise UserError(f'{what}: {reason}', hint=_WAY_OUT.format(names[number or 0])) from None
    between = read.split(MARK)
    found: list[Piece] = [between[0]]
    for name, place, behind in zip(names, places, between[1:], strict=True):
        found += [Value(name, place), behind]
    return Text(tuple(piece for piece in found if piece != ''))


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
