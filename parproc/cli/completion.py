"""Completion: what could stand where the cursor is. Runs none of the project's code, and imports next to nothing.

A shell's function asks with ``_PARPROC_COMPLETE=bash_complete`` (or ``zsh_complete``, ``fish_complete``,
``powershell_complete``) in the environment, ``COMP_WORDS`` with the line up to the cursor as it was typed, and
``COMP_CWORD`` with the number of the word that is completed; where that is no number, it is the last one. bash, which
breaks words at more than blanks, adds ``COMP_REPLACED``: the end of that word, which it will replace.
"""

from __future__ import annotations

import os

from parproc.cli.option_kinds import Option
from parproc.cli.option_table import ENVIRONMENT, OPTION_OF, OPTIONS
from parproc.cli.shell_words import bash_text, split_line
from parproc.project.find import in_order, search_upwards
from parproc.project.index import Index, one_line, read_index

MOST_CANDIDATES = 5000
REDIRECTIONS = ('>', '>>', '>|', '<')
Candidate = tuple[str, str, str]


def answer(kind: str) -> str:
    """Return the candidates for a shell, as it wants them."""
    words, quote = split_line(os.environ.get('COMP_WORDS', ''))
    number = os.environ.get('COMP_CWORD', '')
    current = int(number) if number.isdigit() else len(words) - 1
    if current >= len(words):
        words.append('')
        current = len(words) - 1
    word = words[current]
    kept = len(word) - len(split_line(quote + os.environ.get('COMP_REPLACED', word))[0][-1])
    lines: list[str] = []
    for form, value, text in candidates(words[1:current], word)[:MOST_CANDIDATES]:
        if not value.isprintable():
            continue  # it could end a line here, and act on a terminal there
        if kind == 'bash_complete':
            reply = bash_text(value[max(0, kept) :], quote)
            if reply is not None:  # bash closes a quote by itself, and what stands before that is within it
                lines.append(f'{"part" if quote and form == "plain" else form},{reply}')
        elif kind == 'zsh_complete':
            lines += [form, value, one_line(text) or '_']
        elif kind == 'fish_complete':
            lines.append(f'{form},{value}\t{one_line(text)}' if text else f'{form},{value}')
        elif kind == 'powershell_complete':
            lines.append(f'{form}\t{value}\t{one_line(text) or value}')
    return ''.join([f'{line}\n' for line in lines])


def candidates(before: list[str], word: str) -> list[Candidate]:
    """Return what could stand for ``word``.

    Args:
        before: the words after the program's name and before this one.
        word: what is typed of it.

    Returns:
        (kind, value, description); kind is ``plain``, ``part`` (of a word that goes on), ``file`` or ``dir``.
    """
    if '--' in before:
        return []
    previous = before[-1] if before else ''
    if previous.lstrip('0123456789&') in REDIRECTIONS:
        return [('file', word, '')]
    row = OPTION_OF.get(previous)
    found = _values(row, word, '', before[:-1])
    if _takes_next(row):
        return found
    if word.startswith('-'):
        option, equals, typed = word.partition('=')
        if equals:
            return _values(OPTION_OF.get(option), typed, f'{option}=', before)
        return [('plain', name, _short(row)) for row in OPTIONS for name in row.names if name.startswith(word)]
    return found if row is not None and row.completes == 'name' else found + _targets(before, word)


def _short(row: Option) -> str:
    """Return what an option does, as a description beside others."""
    return f'{row.help_text[:1].lower()}{row.help_text[1:].removesuffix(".")}'


def _takes_next(row: Option | None) -> bool:
    """Return whether the word after an option is its value, whatever it is."""
    return row is not None and row.takes_value and row.bare is None


def _values(row: Option | None, word: str, lead: str, before: list[str]) -> list[Candidate]:
    """Return the values of an option that ``word`` can grow to, each with ``lead`` before it."""
    if row is None:
        return []
    if row.completes in {'file', 'dir'}:
        return [(row.completes, lead + word, '')]
    if row.completes in {'name', 'glob'}:
        return [(form, lead + value, text) for form, value, text in _targets(before, word, params=False)]
    return [('plain', lead + value, '') for value in row.offers if value.startswith(word)]


def _targets(before: list[str], word: str, *, params: bool = True) -> list[Candidate]:
    """Return the names of procs, what protos make of their choices one placeholder after the other, and params."""
    if '*' in word or '?' in word or '=' in word:
        return []
    index = load(before)
    if index is None:
        return []
    given = set(_words_given(before))
    found: dict[str, tuple[str, str]] = {}
    for name, text in index.procs.items():
        if name.startswith(word) and name not in given:
            found[name] = ('plain', text)
    for pattern, (text, choices) in index.protos.items():
        form, names = _grown(pattern, choices, word, index.separator)
        for name in names:
            if name not in given:
                found.setdefault(name, (form, text))
    if params:
        for name in index.params:
            if name.startswith(word) and not any(other.startswith(f'{name}=') for other in given):
                found.setdefault(f'{name}=', ('part', 'parameter'))
    return [(form, name, text) for name, (form, text) in found.items() if not name.startswith('-')]


def _words_given(before: list[str]) -> list[str]:
    """Return the words that are neither options nor their values."""
    return [
        word
        for taker, word in zip(['', *before], before, strict=False)
        if not _takes_next(OPTION_OF.get(taker)) and not word.startswith('-')
    ]


def _grown(pattern: str, choices: dict[str, list[str] | None], word: str, separator: str) -> tuple[str, list[str]]:
    """Return what ``word`` can grow to on its way to a name that a pattern describes, with the kind of that.

    It grows by one segment at a time.
    """
    segments, typed = _segments(pattern, separator), word.split(separator)
    place = len(typed) - 1
    form, end = ('plain', '') if place + 1 == len(segments) else ('part', separator)
    if place >= len(segments):
        return form, []
    for segment, text in zip(segments, typed[:-1], strict=False):
        texts = _texts(segment, choices)
        if not text or (texts is not None and text not in texts):
            return form, []
    lead = separator.join([*typed[:-1], ''])
    texts = _texts(segments[place], choices) or []
    return form, [f'{lead}{text}{end}' for text in texts if text.startswith(typed[-1])]


def _segments(pattern: str, separator: str) -> list[str]:
    """Split a pattern at the separators that are not in the name of a placeholder."""
    segments: list[str] = []
    for part in pattern.split(separator):
        if segments and '[' in segments[-1].rpartition(']')[2] and ']' in part:
            segments[-1] += separator + part
        else:
            segments.append(part)
    return segments


def _texts(segment: str, choices: dict[str, list[str] | None]) -> list[str] | None:
    """Return what one segment of a pattern can be; None for any text, and for more than anybody would look at."""
    before, opening, rest = segment.partition('[')
    name, closing, after = rest.partition(']')
    if not opening or not closing or not name.isidentifier():
        return [segment]
    values, ends = choices.get(name), _texts(after, choices)
    if values is None or ends is None or len(values) * len(ends) > MOST_CANDIDATES:
        return None
    return [f'{before}{value}{end}' for value in values for end in ends]


def remembered_list() -> str | None:
    """Return what ``--list`` would print; None where only loading the task files can tell, as with any Python."""
    if not ENVIRONMENT.isdisjoint(os.environ):
        return None
    files = _task_files([])
    index = read_index(files) if files else None
    if index is None or not index.fresh or not index.lines:
        return None
    return '\n'.join([*index.lines, ''])


# --- which task files ----------------------------------------------------------------------------------------------


def load(before: list[str]) -> Index | None:
    """Return what the task files declare that a command line with these words would use."""
    files = _task_files(before)
    if not files:
        return None
    index = read_index(files)
    if index is not None and index.fresh:
        return index
    from parproc.project.static import read_statically

    static = read_statically(files)
    if index is not None:  # what only a load can see is likelier to be there still than not
        static.procs = {**index.procs, **static.procs}
        static.protos = {**index.protos, **static.protos}
        static.params += [name for name in index.params if name not in static.params]
        static.separator = index.separator
    return static


def _task_files(before: list[str]) -> list[str]:
    """Return the task files that a run with these words would load; none where it would find none."""
    named, start = _places(before)
    try:
        if named:
            return in_order(named)
        return search_upwards(start or os.environ.get('PARPROC_DIRECTORY') or os.getcwd())
    except OSError:  # the current directory is gone
        return []


def _places(before: list[str]) -> tuple[list[str], str]:
    """Return the task files and the folder to start from that some words name; both may be empty."""
    named: list[str] = []
    start = ''
    words = iter(before)
    for word in words:
        option, value = _option(word)
        if value is None and _takes_next(OPTION_OF.get(option)):
            value = next(words, '')
        if value and option in ('-f', '--file'):
            named.append(os.path.expanduser(value))
        elif value and option in ('-C', '--directory'):
            start = os.path.expanduser(value)
    if not named and os.environ.get('PARPROC_FILE'):
        named = os.environ['PARPROC_FILE'].split(os.pathsep)
    return named, start


def _option(word: str) -> tuple[str, str | None]:
    """Return the option in a word that may take a value, and the value where it is in the same word: ``-kfFILE``."""
    if word.startswith('--'):
        option, equals, value = word.partition('=')
        return option, value if equals else None
    if word.startswith('-'):
        for place, letter in enumerate(word[1:], 2):
            row = OPTION_OF.get(f'-{letter}')
            if row is not None and row.takes_value:
                return f'-{letter}', word[place:] or None
    return '', None
