"""What the words of a shell's command say about a value among them: that it is read as code, a number, a name.

Quotes do not help there: ``eval`` runs what it is given, and many a shell calculates with what it is given, so that
``a[$(command)]`` runs a command.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

CODE = 'code'
NAME = 'name'
NUMBER = 'number'
INDEX = 'index'

MARK = '\0'
"""Stands for a value, in text that is read."""

_SHELLS = frozenset(
    {*('sh', 'dash', 'ash', 'bash', 'rbash', 'ksh', 'ksh93', 'mksh', 'zsh'), *('yash', 'fish', 'csh', 'tcsh')}
)
_BEFORE_A_COMMAND = frozenset(
    {*'!{}', 'if', 'then', 'elif', 'else', 'fi', 'while', 'until', 'do', 'done', 'esac', 'time', 'coproc'}
)
_WRAPPERS = frozenset({'command', 'builtin', 'noglob', 'nocorrect', 'exec', '-'})
_RUN_THEIR_WORDS = frozenset({'eval', 'alias'})
_READ_FILES = frozenset({'.', 'source'})
_STANDARD_INPUTS = frozenset({'-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'})
_RUN_AFTER = {'mapfile': 'C', 'readarray': 'C', 'compgen': 'CFW', 'complete': 'CFW', 'bind': 'x', 'print': 'P'}
_CALCULATE = frozenset({'let', 'exit', 'return', 'shift', 'break', 'continue', 'ulimit'})
_DECLARE = frozenset({'declare', 'typeset', 'local', 'export', 'readonly', 'integer', 'float', 'nameref'})
_TAKE_NAMES = frozenset({'unset', 'read', 'getopts', 'mapfile', 'readarray', 'for', 'select', 'function'})
_TESTS = frozenset({'[', '[[', 'test'})
_TAKE_A_NAME_AFTER_V = _TESTS | {'printf', 'print'}
_COMPARISONS = frozenset({'-eq', '-ne', '-lt', '-le', '-gt', '-ge'})
_ASSIGNMENT = re.compile(r'[A-Za-z_]\w*(\[.*\])?\+?=')
_SUBSCRIPT = re.compile(r'(?:[A-Za-z_]\w*)?\[[^]]*')


class ShellWords:
    """The words of one list of commands, as they are read.

    Args:
        need: called with the number of a value and with what it must be, when a later word says so.
        listed: they are a list of values, such as an array's, and no commands.
    """

    def __init__(self, need: Callable[[int, str], None], *, listed: bool = False) -> None:
        self._need = need
        self._listed = listed
        self._command: str | None = '' if listed else None
        self._arguments: list[str] = []
        self._cases: list[str] = []
        self._word = ''
        self._quoted = False
        self._values: list[int] = []
        self._values_before: list[int] = []
        self._compared = False
        self._options_of_shell = False
        self._target = self._target_is_code = False
        self._arguments_of_shell: list[str] = []
        self._wrapped = self._reads_input = False
        self._readers: set[int] = set()
        self.number = 0
        self.in_word = False
        self.brackets = 0

    @property
    def at_command(self) -> bool:
        """Whether the word that is read, or comes next, is the name of a command."""
        return self._command is None and not self.in_pattern and not (self._cases and self._cases[-1] != 'body')

    @property
    def in_test(self) -> bool:
        """Whether this is in ``[[ ]]``, where brackets and signs are the test's own."""
        return self._command == '[['

    @property
    def in_for(self) -> bool:
        """Whether this stands after ``for`` alone."""
        return self._command == 'for' and not self._arguments

    @property
    def in_pattern(self) -> bool:
        """Whether this is a pattern of a ``case``."""
        return bool(self._cases) and self._cases[-1] == 'pattern'

    @property
    def is_argument(self) -> bool:
        """Whether a word here is an argument like any other, so that no spelling of it means something else."""
        return self._command is not None and not self._target and self._command not in _TESTS | _TAKE_NAMES

    def take(self, text: str, *, quoted: bool = False) -> None:
        """Take in a part of a word."""
        self.in_word = True
        self._word += text
        self._quoted = self._quoted or quoted

    def take_value(self, number: int) -> str:
        """Take in a value, and return what it has to be, or what it is read as; empty for anything."""
        role = self._role()
        self.take(MARK)
        self._values.append(number)
        return role

    @property
    def has_text_before_last(self) -> bool:
        """Whether the word has more than one character so far."""
        return len(self._word) > 1

    @property
    def reads_text(self) -> bool:
        """Whether this is a shell that reads what it runs from its standard input."""
        return self._reads_input or (self._options_of_shell and not self._is_text_of_shell())

    @property
    def runs_its_words(self) -> bool:
        """Whether a word here is run as a command of its own."""
        return self._role() == CODE

    def has_read_text(self, number: int) -> bool:
        """Return whether a command that is over, told by its number, was a shell as :attr:`reads_text` has it."""
        return number in self._readers

    def redirect(self, *, is_text: bool = False) -> None:
        """Take in a sign that redirects; what comes next is no word of the command.

        Args:
            is_text: what comes next is no file, but text for the command to read.
        """
        if self.in_word and self._word.isdigit() and not self._quoted:
            self._forget_word()
        self.end_word()
        self._target = not self.in_test
        self._target_is_code = is_text and self.reads_text

    def skip_target(self) -> None:
        """Take in that what is redirected to has been read already."""
        self._target = False

    def end_command(self) -> None:
        """Take in the end of a command."""
        self.end_word()
        if self.reads_text:
            self._readers.add(self.number)
        self.number += 1
        if self._listed or (self._cases and self._cases[-1] != 'body'):
            return
        self._command = None
        self._arguments = []
        self._values_before = []
        self._compared = self._options_of_shell = self._target = self._wrapped = self._reads_input = False
        self.brackets = 0

    def end_branch(self) -> None:
        """Take in ``;;``, after which a ``case`` has a pattern."""
        self.end_command()
        if self._cases:
            self._cases[-1] = 'pattern'

    def end_pattern(self) -> None:
        """Take in the bracket behind a pattern of a ``case``."""
        self.end_word()
        self._cases[-1] = 'body'
        self.end_command()

    def define_function(self) -> None:
        """Take in ``()``, which makes a function's name of the word before."""
        self._forget_word()
        self.end_command()

    def end_word(self) -> None:
        """Take in the end of a word, if there is one."""
        if not self.in_word:
            return
        word, plain, values = self._word, not self._quoted and not self._values, self._values
        self._forget_word()
        if self._target:
            self._target = False
            return
        if self._cases and self._cases[-1] != 'body':
            self._follow_case(word if plain else '')
        elif self._command is None:
            self._begin(word, plain=plain)
        else:
            self._follow(word, plain=plain, values=values)
        self._look_for_shell(word)

    def _forget_word(self) -> None:
        self._word, self._quoted, self._values, self.in_word = '', False, [], False

    def _follow_case(self, word: str) -> None:
        state = self._cases[-1]
        if state == 'word':
            self._cases[-1] = 'in'
        elif state == 'in':
            self._cases[-1] = 'pattern'
        elif word == 'esac':
            self._cases.pop()

    def _begin(self, word: str, *, plain: bool) -> None:
        if plain and word == 'case':
            self._cases.append('word')
        elif plain and word == 'esac' and self._cases:
            self._cases.pop()
        elif word in _WRAPPERS:
            self._wrapped = True
        elif not (
            (plain and word in _BEFORE_A_COMMAND) or _ASSIGNMENT.match(word) or (self._wrapped and word.startswith('-'))
        ):
            self._command = word

    def _follow(self, word: str, *, plain: bool, values: list[int]) -> None:
        if self._command in _TESTS:
            if word in _COMPARISONS:
                for number in self._values_before:
                    self._need(number, NUMBER)
            self._compared = word in _COMPARISONS
        self._arguments.append(word)
        self._values_before = values
        begins = (word == 'do' and self._command in {'for', 'select'} and len(self._arguments) == 2) or (
            word == '{' and self._command == 'function'
        )
        if (plain and begins) or (word == ']]' and self.in_test):
            self.end_command()

    def _look_for_shell(self, word: str) -> None:
        """Notice a shell among the words, and which word is its text."""
        if word.rpartition('/')[2] in _SHELLS:
            self._options_of_shell = True
            self._arguments_of_shell = []
        elif word in _STANDARD_INPUTS and (self._options_of_shell or self._command in _READ_FILES):
            self._reads_input = not self._is_text_of_shell()
        elif self._options_of_shell:
            self._arguments_of_shell.append(word)
            self._reads_input = self._reads_input or _has_option(word, 's')
            self._options_of_shell = word[:1] in {'-', '+'} or self._has_argument(self._arguments_of_shell[:-1])

    @staticmethod
    def _has_argument(options: Sequence[str]) -> bool:
        return (
            bool(options) and options[-1][:1] in {'-', '+'} and (options[-1][-1:] in 'oO' or options[-1] == '--rcfile')
        )

    def _is_text_of_shell(self) -> bool:
        options = self._arguments_of_shell if self._options_of_shell else []
        return not self._has_argument(options) and any(_has_option(option, 'c') for option in options)

    def _role(self) -> str:
        """Return what the word that is being read makes of a value."""
        if self._target:
            return CODE if self._target_is_code else ''
        if self._listed:
            return INDEX if _SUBSCRIPT.fullmatch(self._word) else ''
        if self._is_text_of_shell():
            return CODE
        if self._command is None:
            return INDEX if _SUBSCRIPT.fullmatch(self._word) else ''
        return self._role_of_argument(self._command)

    def _role_of_argument(self, command: str) -> str:
        options = [argument for argument in self._arguments if argument[:1] in {'-', '+'}]
        before = self._arguments[-1] if self._arguments else ''
        if command in _RUN_THEIR_WORDS or (command == 'trap' and self._arguments in ([], ['--'])):
            return CODE
        if any(
            _has_option(before, letter) or _has_option(self._word, letter) for letter in _RUN_AFTER.get(command, '')
        ):
            return CODE
        if command in _CALCULATE or (command in _TESTS and self._compared):
            return NUMBER
        if command in _TAKE_A_NAME_AFTER_V and before == '-v':
            return NAME
        if command in _DECLARE:
            if '=' not in self._word:
                return INDEX if _SUBSCRIPT.fullmatch(self._word) else NAME
            calculated = command in {'integer', 'float'} or any('i' in o or 'E' in o or 'F' in o for o in options)
            return NUMBER if calculated else ''
        if command == 'getopts':
            return NAME if len(self._arguments) == 1 else ''
        if command in {'for', 'select', 'function'}:
            return NAME if not self._arguments else ''
        is_option = before[:1] == '-' and command != 'unset'
        return NAME if command in _TAKE_NAMES and not is_option else ''


def _has_option(word: str, letter: str) -> bool:
    return word[:1] == '-' and word[:2] != '--' and letter in word
