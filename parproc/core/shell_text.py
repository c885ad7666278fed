"""Reads text for a POSIX shell, as far as is needed to know what surrounds each value in it.

Nothing here decides whether a value is safe: what is put in its place is an expansion, in which no shell looks for
commands. What surrounds it decides how that has to be written so that the value stays one value, and unchanged. Where
shells differ, or none can keep the promise, the place is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from parproc.core.here_documents import HereDocument, announced, body
from parproc.core.shell_words import CODE, INDEX, MARK, ShellWords
from parproc.errors import UserError

_DEEPEST_LEVELS = 60
_PLAIN = re.compile(r'[^\s\\\'"$`#;&|<>()\0]+')
_IN_QUOTES = re.compile(r'[^\\"$`\0]+')
_OPERATOR = re.compile(r';;&|;;|;&|;\||&&|\|\||\|&|;|&|\|')
_BRANCH_ENDS = frozenset({';;&', ';;', ';&', ';|'})
_REDIRECTION = re.compile(r'&>>|&>|<<<|<>|<&|>&|>>|>\||<|>')
_NO_ARGUMENTS = re.compile(r'\([ \t]*\)')
_PARAMETER = re.compile(r'(?:\([^)\0]*\))?[!#=~^+]*(?:\w+|[@*?$-])?')
_DEFAULT = re.compile(r':?[-=?+]')
_SUBSCRIPT = re.compile(r'\$[A-Za-z_]\w*\[[^]\s"\']*$')
_BEHIND_BARE = re.compile(r'[\s;&|)/.,-]|\Z')
_IN_BACKTICKS = re.compile(r'(?:[^\\`]|\\.)*', re.DOTALL)
_ESCAPED = re.compile(r'\\([$`\\])')
_ESCAPED_IN_QUOTES = re.compile(r'\\([$`\\"])')
_CONTINUATION = '\\\n'


@dataclass(frozen=True, slots=True)
class ValuePlace:
    """What surrounds a value.

    Args:
        kind: ``plain``; quotes that are ``double``, ``inner`` (double ones within double ones), ``single``, or
            ``escaped`` (``$'…'``); a ``here``-document; ``arithmetic``; a ``comment``.
        needs: what the value has to be, ``number`` or ``name``; empty for anything.
        bare: harmless text can stand here as it is, and means nothing else.
    """

    kind: str
    needs: str = ''
    bare: bool = False


class UnreadableShellError(UserError):
    """A text with values in it cannot be used.

    Args:
        message: what is wrong; what is said of the value where there is one.
        value: the number of the value, None when it is the text as a whole.
    """

    def __init__(self, message: str, value: int | None = None) -> None:
        super().__init__(message)
        self.value = value


def read(source: str) -> tuple[str, list[ValuePlace]]:
    """Return the text to give to a shell, with a mark where each value goes, and what surrounds each.

    Args:
        source: the text, with a mark for each value.

    Raises:
        UnreadableShellError: when a value has a place in which it cannot be kept.
    """
    reader = _Reader(source, [], 0)
    reader.commands('')
    edited, end = [], 0
    for start, stop, text in sorted(reader.edits):
        edited += [source[end:start], text]
        end = stop
    return ''.join((*edited, source[end:])), reader.places


class _Reader:
    """One text while it is read; what stands in backticks is a text of its own."""

    def __init__(self, text: str, places: list[ValuePlace], depth: int, *, is_code: bool = False) -> None:
        self.places = places
        self.edits: list[tuple[int, int, str]] = []
        self._text = text
        self._at = 0
        self._end = len(text)
        self._depth = depth
        self._is_code = is_code
        self._no_arithmetic: set[int] = set()
        self._words = ShellWords(self._need)
        self._documents: list[list[HereDocument]] = []

    def commands(self, closer: str, *, listed: bool = False, is_substitution: bool = True) -> None:
        """Read commands up to the bracket that ends them, or to the end of the text.

        Args:
            closer: the bracket, or empty.
            listed: they are words of an array or a pattern, and no commands.
            is_substitution: here-documents that are announced in them have to end in them.
        """
        self._deeper()
        around, was_code = self._words, self._is_code
        self._is_code = was_code or around.runs_its_words
        self._words = ShellWords(self._need, listed=listed)
        if is_substitution:
            self._documents.append([])
        while self._at < self._end and not self._closes(closer):
            self._step(self._text[self._at])
        self._words.end_command()
        if closer and self._at >= self._end:
            raise UnreadableShellError('a bracket "(" is not closed')
        if is_substitution and (unread := self._documents.pop()):
            raise UnreadableShellError(f'the here-document "{unread[0].word}" does not end')
        self._at += len(closer)
        self._words, self._is_code = around, was_code
        self._depth -= 1

    def _closes(self, closer: str) -> bool:
        """Return whether a bracket ends what is read; one that ends something smaller is taken in."""
        while self._at < self._end and self._text[self._at] == ')':
            words = self._words
            if words.brackets:
                words.brackets -= 1
                words.take(')')
                self._at += 1
                continue
            words.end_word()
            if words.in_pattern:
                words.end_pattern()
            elif closer:
                return True
            else:
                raise UnreadableShellError('a bracket ")" closes nothing')
            self._at += 1
        return self._at >= self._end

    def _step(self, char: str) -> None:
        words = self._words
        if char in ' \t':
            words.end_word()
            self._at += 1
        elif char == '\n':
            self._new_line()
        elif char == MARK:
            self._value('plain', bare=self._can_be_bare())
        elif char == '#' and not words.in_word:
            self._comment()
        elif char == '(':
            self._bracket()
        elif found := _REDIRECTION.match(self._text, self._at, self._end):
            self._redirection(found)
        elif found := _OPERATOR.match(self._text, self._at, self._end):
            self._operator(found[0])
        elif not self._part('plain'):
            found = _PLAIN.match(self._text, self._at, self._end)
            words.take(found[0] if found else char)
            self._at += len(found[0]) if found else 1

    def _part(self, kind: str) -> bool:
        """Take in what is special in a word that no quotes surround; return whether there was anything."""
        char = self._text[self._at]
        if char == '\\':
            self._backslash(kind)
        elif char == "'":
            self._single()
        elif char == '"':
            self._double('double')
        elif char == '$':
            self._dollar(kind)
        elif char == '`':
            self._backticks(kind)
        else:
            return False
        return True

    def _new_line(self) -> None:
        self._words.end_command()
        if any(self._documents[:-1]):
            raise UnreadableShellError(
                'shells do not agree where a here-document begins whose line goes on in brackets'
            )
        self._at += 1
        documents, self._documents[-1] = self._documents[-1], []
        for document in documents:
            self._here_document(document)

    def _comment(self) -> None:
        end = self._text.find('\n', self._at, self._end)
        end = self._end if end < 0 else end
        self.places += [ValuePlace('comment')] * self._text.count(MARK, self._at, end)
        self._at = end

    def _operator(self, sign: str) -> None:
        self._at += len(sign)
        if sign in _BRANCH_ENDS:
            self._words.end_branch()
        elif sign[0] in '&|' and (self._words.in_test or self._words.in_pattern):
            self._words.end_word()
        else:
            self._words.end_command()

    def _redirection(self, found: re.Match[str]) -> None:
        words = self._words
        if found[0] in {'<', '>'} and self._text.startswith('(', found.end()):
            words.take('', quoted=True)
            self._at = found.end() + 1
            self.commands(')')
            return
        end = -1 if found[0] == '<<<' else self._follows('<<')
        words.redirect(is_text=found[0] == '<<<')
        if end < 0:
            self._at = found.end()
            return
        document, self._at = announced(self._text, end, self._end, words)
        if document is None:
            raise UnreadableShellError('is part of the word that ends a here-document', len(self.places))
        words.skip_target()
        self._documents[-1].append(document)

    def _bracket(self) -> None:
        words = self._words
        if words.in_test:
            words.brackets += 1
            words.take('(')
            self._at += 1
        elif found := _NO_ARGUMENTS.match(self._text, self._at, self._end):
            words.define_function()
            self._at = found.end()
        elif words.in_pattern and not words.in_word:
            self._at += 1
        elif words.in_word:
            words.take('', quoted=True)
            self._at += 1
            self.commands(')', listed=True)
        else:
            if (words.at_command or words.in_for) and (end := self._follows('((')) >= 0 and self._tried(end):
                return
            self._at += 1
            self.commands(')', is_substitution=False)

    def _tried(self, start: int) -> bool:
        """Read arithmetic up to ``))``; return False, with nothing taken in, where it is none but brackets in brackets."""
        if start in self._no_arithmetic:
            return False
        at, counts, words, depth = self._at, (len(self.places), len(self.edits)), self._words, self._depth
        is_code = self._is_code
        documents = [list(announced_here) for announced_here in self._documents]
        self._at = start
        try:
            self._arithmetic('))')
        except UserError:
            self._at, self._words, self._depth, self._documents = at, words, depth, documents
            self._is_code = is_code
            self._no_arithmetic.add(start)
            del self.places[counts[0] :], self.edits[counts[1] :]
            return False
        return True

    def _arithmetic(self, closer: str) -> None:
        opened = 0
        while self._at < self._end:
            char = self._text[self._at]
            if not opened and (end := self._follows(closer)) >= 0:
                self._at = end
                return
            if char == MARK:
                self._value('arithmetic')
            elif char == '\\':
                self._backslash('arithmetic')
            elif char == '$':
                self._dollar('arithmetic')
            elif char == '`':
                self._backticks('arithmetic')
            else:
                opened += (char in '([') - (char in ')]')
                if opened < 0:
                    break
                self._at += 1
        raise UnreadableShellError(f'a calculation is not closed by "{closer}"')

    def _single(self) -> None:
        end = self._text.find("'", self._at + 1, self._end)
        if end < 0:
            raise UnreadableShellError("a quote ' is not closed")
        self._words.take('', quoted=True)
        self._at += 1
        while self._at < end:
            stop = self._text.find(MARK, self._at, end)
            stop = end if stop < 0 else stop
            self._words.take(self._text[self._at : stop], quoted=True)
            self._at = stop
            if stop < end:
                self._value('single', bare=True)
        self._at = end + 1

    def _escaped(self, start: int) -> None:
        """Read ``$'…'``; behind a value it goes on as ``'…'`` where that is the same, for not every shell knows it."""
        self._words.take('', quoted=True)
        self._at = start
        while self._at < self._end:
            char = self._text[self._at]
            if char == "'":
                self._at += 1
                return
            if char == MARK:
                behind = re.compile("[^\0']*").match(self._text, self._at + 1, self._end)
                self._value('escaped' if behind and '\\' in behind[0] else 'single')
            elif char == '\\':
                self._backslash('escaped')
            else:
                self._words.take(char, quoted=True)
                self._at += 1
        raise UnreadableShellError("a quote $' is not closed")

    def _double(self, kind: str) -> None:
        self._words.take('', quoted=True)
        self._at += 1
        while self._at < self._end:
            if self._text[self._at] == '"':
                self._at += 1
                return
            self._quoted_part(kind)
        raise UnreadableShellError('a quote " is not closed')

    def _quoted_part(self, kind: str) -> None:
        """Take in a part of what is quoted so that it is expanded, but not split."""
        if found := _IN_QUOTES.match(self._text, self._at, self._end):
            self._words.take(found[0], quoted=True)
            self._at = found.end()
            return
        char = self._text[self._at]
        if char == '\\':
            self._backslash(kind)
        elif char == '$':
            self._dollar(kind)
        elif char == '`':
            self._backticks(kind)
        elif char == MARK:
            bare = kind == 'double' and self._text[self._at - 1] in ' \t\n"=/,.+%@-'
            self._value(kind, bare=bare)
        else:
            self._at += 1

    def _backslash(self, kind: str) -> None:
        """Take in a backslash and what it quotes; a value that it stands before is kept whole, and so is the backslash."""
        behind = self._text[self._at + 1 : min(self._at + 2, self._end)]
        if behind == MARK:
            self.edits.append((self._at, self._at + 1, '' if kind in {'plain', 'arithmetic'} else '\\\\'))
            self._at += 1
            self._value(kind)
        elif behind == '\n':
            self._at += 2
        else:
            self._words.take(behind if kind == 'plain' else f'\\{behind}', quoted=True)
            self._at += 1 + len(behind)

    def _dollar(self, kind: str) -> None:
        self._deeper()
        if (end := self._follows('$((')) >= 0 and self._tried(end):
            pass
        elif (end := self._follows('$(')) >= 0:
            self._at = end
            self.commands(')')
        elif (end := self._follows('${')) >= 0:
            self._at = end
            self._parameter(kind)
        elif (end := self._follows('$[')) >= 0:
            self._at = end
            self._arithmetic(']')
        elif kind == 'plain' and (end := self._follows("$'")) >= 0:
            self._escaped(end)
        else:
            special = self._text[self._at + 1 : self._at + 2] in tuple('$!#?*@-0123456789')
            self._words.take('$', quoted=True)
            self._at = min(self._at + 1 + special, self._end)
        self._words.take('', quoted=True)
        self._depth -= 1

    def _backticks(self, kind: str) -> None:
        found = _IN_BACKTICKS.match(self._text, self._at + 1, self._end)
        if found is None or found.end() >= self._end:
            raise UnreadableShellError('a quote ` is not closed')
        if '\n' in found[0] and any(self._documents):
            raise UnreadableShellError(
                'shells do not agree where a here-document begins whose line goes on in backticks'
            )
        text = (_ESCAPED if kind == 'plain' else _ESCAPED_IN_QUOTES).sub(r'\1', found[0])
        before = len(self.places)
        inner = _Reader(text, self.places, self._depth + 1, is_code=self._is_code or self._words.runs_its_words)
        inner.commands('')
        if inner.edits:
            raise UnreadableShellError('has a place in backticks that only $(…) has room for', before)
        self._words.take('', quoted=True)
        self._at = found.end() + 1

    def _parameter(self, kind: str) -> None:
        name = _PARAMETER.match(self._text, self._at, self._end)
        self._at = self._at if name is None else name.end()
        char = self._text[self._at : self._at + 1]
        if char == MARK:
            raise UnreadableShellError('is part of the name of a variable', len(self.places))
        if char == '[':
            self._at += 1
            self._arithmetic(']')
        if found := _DEFAULT.match(self._text, self._at, self._end):
            self._at = found.end()
            self._operand(kind, is_pattern=False)
        elif self._text.startswith(':', self._at) and self._text[self._at + 1 : self._at + 2] not in tuple('#/|^*'):
            self._at += 1
            self._arithmetic('}')
        else:
            self._operand(kind, is_pattern=True)

    def _operand(self, kind: str, *, is_pattern: bool) -> None:
        """Read what stands in ``${name…}`` behind the name, up to the bracket."""
        before = len(self.places)
        kind_here = 'plain' if is_pattern and kind != 'arithmetic' else kind
        quoted = kind_here in {'double', 'inner', 'here'}
        while self._at < self._end:
            char = self._text[self._at]
            if char == '}':
                self._at += 1
                if is_pattern and kind == 'here' and len(self.places) > before:
                    raise UnreadableShellError(
                        'is part of a pattern in a here-document, which shells read differently', before
                    )
                return
            if char == MARK:
                self._value(kind_here)
            elif not quoted:
                if not self._part(kind_here):
                    self._at += 1
            elif char == '"':
                self._double('here' if kind == 'here' else 'inner')
            elif char in '\\$`':
                self._quoted_part(kind_here)
            else:
                self._at += 1
        raise UnreadableShellError('a bracket "${" is not closed')

    def _here_document(self, document: HereDocument) -> None:
        start, stop, end = body(self._text, self._at, self._end, document)
        if (document.is_code or self._is_code) and MARK in self._text[start:stop]:
            raise UnreadableShellError('is part of text that another shell runs', len(self.places))
        if document.quoted:
            self.places += [ValuePlace('here')] * self._text.count(MARK, start, stop)
            self.edits += document.expanding(self._text, start, stop, end)
        else:
            around, self._words = self._words, ShellWords(self._need, listed=True)
            whole, self._end, self._at = self._end, stop, start
            while self._at < self._end:
                self._quoted_part('here')
            self._end, self._words = whole, around
        self._at = min(end + 1, self._end)

    def _value(self, kind: str, *, bare: bool = False) -> None:
        """Take in a value."""
        number = len(self.places)
        needs = '' if kind in {'arithmetic', 'here'} else self._words.take_value(number)
        if needs == CODE or (self._is_code and kind != 'arithmetic'):
            raise UnreadableShellError('is part of text that is run as a command of its own', number)
        if needs == INDEX or _SUBSCRIPT.search(self._text, max(0, self._at - 100), self._at):  # zsh's, the latter
            kind, needs = 'arithmetic', ''
        self.places.append(ValuePlace(kind, needs, bare=bare and not needs))
        self._at += 1

    def _can_be_bare(self) -> bool:
        words = self._words
        if words.in_test or not _BEHIND_BARE.match(self._text, self._at + 1):
            return False
        if words.in_word:
            return self._text[self._at - 1] in '=/-' and words.has_text_before_last
        return words.is_argument

    def _need(self, number: int, needs: str) -> None:
        self.places[number] = replace(self.places[number], needs=needs, bare=False)

    def _follows(self, signs: str) -> int:
        """Return where signs end that stand here, with lines that go on between them; -1 where they do not."""
        at = self._at
        for sign in signs:
            while at > self._at and self._text.startswith(_CONTINUATION, at):
                at += 2
            if at >= self._end or self._text[at] != sign:
                return -1
            at += 1
        return at

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST_LEVELS:
            raise UnreadableShellError('the text has too many brackets in each other')
