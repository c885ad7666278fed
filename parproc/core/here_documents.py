"""Here-documents in text for a shell: what ends them, and how one that expands nothing is made to expand values."""

from __future__ import annotations

import re
from dataclasses import dataclass

from parproc.core.shell_words import MARK, ShellWords
from parproc.errors import UserError

_BLANKS = re.compile(r'(?:[ \t]|\\\n)*')
_EXPANDED = re.compile(r'[\\$`]')
_NO_PART = frozenset(' \t\n;&|<>()')
_END = 'parproc_end'


@dataclass(frozen=True, slots=True)
class HereDocument:
    """A here-document that a line announces.

    Args:
        word: the line that ends it.
        span: where that is written in the announcement.
        quoted: nothing in it is expanded.
        stripped: tabs at the beginning of its lines are no part of it.
        words: of the list of commands that it is announced in.
        command: the number of the command that is given it.
    """

    word: str
    span: tuple[int, int]
    quoted: bool
    stripped: bool
    words: ShellWords
    command: int

    @property
    def is_code(self) -> bool:
        """Whether a shell reads it as commands; known when the command that is given it is over."""
        return self.words.has_read_text(self.command)

    def expanding(self, text: str, start: int, stop: int, end: int) -> list[tuple[int, int, str]]:
        """Return what to change so that values are expanded in it, and all else stays as it is; nothing without values.

        Args:
            text: that it stands in.
            start: where it begins.
            stop: where the line begins that ends it.
            end: where that line ends.
        """
        if MARK not in text[start:stop]:
            return []
        word = _END
        while word in text:
            word += '_'
        special = [(found.start(), found.start(), '\\') for found in _EXPANDED.finditer(text, start, stop)]
        return [(*self.span, word), *special, (stop, end, word)]


def announced(text: str, at: int, end: int, words: ShellWords) -> tuple[HereDocument | None, int]:
    """Read what follows ``<<``.

    Args:
        text: that is read.
        at: where to begin.
        end: where the text ends.
        words: of the list of commands, at the one that is given the document.

    Returns:
        What it announces, None when a value is part of the word; and where it ends.

    Raises:
        UserError: when shells do not agree on the word, or there is none.
    """
    stripped = text.startswith('-', at)
    blanks = _BLANKS.match(text, at + stripped, end)
    start = at = blanks.end() if blanks else at
    word, quoted = '', False
    while at < end and text[at] not in _NO_PART:
        char = text[at]
        if char == MARK:
            return None, at
        if char in '$`':
            raise UserError('shells do not agree on the word that ends a here-document when it has $ or ` in it')
        stop = at + 1
        if char in '"\'':
            quoted = True
            stop = text.find(char, at + 1, end) + 1
            if not stop:
                raise UserError(f'a quote {char} is not closed')
            char = text[at + 1 : stop - 1]
            if MARK in char:
                return None, at
        elif char == '\\':
            char, stop = text[at + 1 : at + 2], at + 2
            quoted, char = (quoted, '') if char == '\n' else (True, char)
            if char == MARK:
                return None, at
        word, at = word + char, stop
    if not word and not quoted:
        raise UserError('a here-document has no word that ends it')
    return HereDocument(word, (start, at), quoted, stripped, words, words.number), at


def body(text: str, start: int, end: int, document: HereDocument) -> tuple[int, int, int]:
    """Return where a document begins, where the line begins that ends it, and where that line ends.

    Args:
        text: that it stands in.
        start: where it begins.
        end: where the text ends.
        document: what is known of it.

    Raises:
        UserError: when it has no end, or shells do not agree where.
    """
    at, joined, continues = start, '', False
    while at < end:
        stop = text.find('\n', at, end)
        stop = end if stop < 0 else stop
        line = text[at:stop].lstrip('\t') if document.stripped else text[at:stop]
        if line == document.word and not continues:
            return start, stop - len(line), stop
        joined = joined + line if continues else line
        if continues and joined == document.word:
            raise UserError(f'shells do not agree whether the here-document "{document.word}" ends in parts of a line')
        backslashes = len(line) - len(line.rstrip('\\'))
        continues = not document.quoted and backslashes % 2 == 1
        joined = joined[:-1] if continues else ''
        at = stop + 1
    raise UserError(f'the here-document "{document.word}" does not end')
