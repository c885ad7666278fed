"""Completion: what could stand where the cursor is. Runs none of the project's code, and imports next to nothing.

A shell's function asks with ``_PARPROC_COMPLETE=bash_complete`` (or ``zsh_complete``, ``fish_complete``,
``powershell_complete``) in the environment, ``COMP_WORDS`` with the words so far as they were typed, and ``COMP_CWORD``
with the number of the one that is completed; where that is no number, it is the last one.
"""

from __future__ import annotations

import os
import sys

from parproc.cli.flags import FLAGS, NO_OPTIONS
from parproc.project.index import Index, read_index

TOML, PYTHON, PYPROJECT = 'parproc.toml', 'tasks.py', 'pyproject.toml'
MOST = 5000


def answer(kind: str) -> None:
    """Print the candidates for a shell, as it wants them."""
    words = split_words(os.environ.get('COMP_WORDS', ''))
    number = os.environ.get('COMP_CWORD', '')
    current = int(number) if number.isdigit() else len(words) - 1
    if current >= len(words):
        words.append('')
        current = len(words) - 1
    found = candidates(words[1:current], words[current])
    write = sys.stdout.write
    for form, value, text in found[:MOST]:
        if kind == 'bash_complete':
            write(f'{form},{value}\n')
        elif kind == 'zsh_complete':
            write(f'{form}\n{value}\n{text or "_"}\n')
        elif kind == 'fish_complete':
            write(f'{form},{value}\t{text}\n' if text else f'{form},{value}\n')
        elif kind == 'powershell_complete':
            write(f'{form}\t{value}\t{text or value}\n')
    sys.stdout.flush()


def split_words(text: str) -> list[str]:
    """Return the words of a command line as it was typed, also one that is not finished; the last may be empty."""
    words: list[str] = []
    word: list[str] | None = None
    quote = ''
    place = 0
    while place < len(text):
        char = text[place]
        place += 1
        if char == '\\' and quote != "'" and place < len(text):
            following = text[place]
            place += 1
            if quote == '"' and following not in '"\\$`':
                following = char + following
            word = [*(word or []), following]
        elif quote and char == quote:
            quote = ''
        elif quote:
            word = [*(word or []), char]
        elif char in '\'"':
            quote = char
            word = word or []
        elif char.isspace():
            if word is not None:
                words.append(''.join(word))
            word = None
        else:
            word = [*(word or []), char]
    words.append(''.join(word or []))
    return words


def candidates(before: list[str], word: str) -> list[tuple[str, str, str]]:
    """Return what could stand for ``word``.

    Args:
        before: the words after the program's name and before this one.
        word: what is typed of it.

    Returns:
        (kind, value, description); kind is ``plain``, ``file`` or ``dir``.
    """
    if '--' in before:
        return []
    takes = {name: values for names, values, _ in FLAGS for name in names}
    previous = before[-1] if before else ''
    if takes.get(previous) and previous != '--graph':
        return _values(takes[previous], word, '', before)
    found: list[tuple[str, str, str]] = []
    if previous == '--graph':
        found += _values(takes[previous], word, '', before)
    if word.startswith('-'):
        option, equals, typed = word.partition('=')
        if equals:
            return _values(takes[option], typed, f'{option}=', before) if takes.get(option) else []
        return [('plain', name, text) for names, _, text in FLAGS for name in names if name.startswith(word)]
    return found + _targets(before, word)


def _values(values: str, word: str, lead: str, before: list[str]) -> list[tuple[str, str, str]]:
    """Return the values of an option; ``values`` says of which kind they are (see :data:`parproc.cli.flags.FLAGS`)."""
    if values in {'file', 'dir'}:
        return [(values, word, '')] if not lead else []
    if values in {'name', 'glob'}:
        return [(form, lead + value, text) for form, value, text in _targets(before[:-1], word, params=False)]
    if values == 'any':
        return []
    return [('plain', lead + value, '') for value in values.split('|') if value.startswith(word)]


def _targets(before: list[str], word: str, *, params: bool = True) -> list[tuple[str, str, str]]:
    """Return the names of procs, what protos make of their choices one placeholder after the other, and params."""
    if '*' in word or '?' in word or '=' in word:
        return []
    index = load(before)
    if index is None:
        return []
    given = set(before)
    found = {name: text for name, text in index.procs.items() if name.startswith(word) and name not in given}
    for pattern, (text, choices) in index.protos.items():
        for name in _grown(pattern, choices, word, index.separator):
            if name not in given:
                found.setdefault(name, text)
    if params and not word.startswith('-'):
        for name in index.params:
            if name.startswith(word) and not any(other.startswith(f'{name}=') for other in before):
                found.setdefault(f'{name}=', 'parameter')
    return [('plain', name, text) for name, text in found.items()]


def _grown(pattern: str, choices: dict[str, list[str] | None], word: str, separator: str) -> list[str]:
    """Return what ``word`` can grow to on its way to a name that a pattern describes: one segment further."""
    segments, typed = pattern.split(separator), word.split(separator)
    if len(typed) > len(segments):
        return []
    for segment, text in zip(segments, typed[:-1], strict=False):
        texts = _texts(segment, choices)
        if not text or (texts is not None and text not in texts):
            return []
    place = len(typed) - 1
    texts = _texts(segments[place], choices)
    if texts is None:
        return []
    lead = separator.join([*typed[:-1], ''])
    end = '' if place + 1 == len(segments) else separator
    return [f'{lead}{text}{end}' for text in texts if text.startswith(typed[-1])]


def _texts(segment: str, choices: dict[str, list[str] | None]) -> list[str] | None:
    """Return what one segment of a pattern can be; None for any text."""
    before, opening, rest = segment.partition('[')
    name, closing, after = rest.partition(']')
    if not opening or not closing or not name.isidentifier():
        return [segment]
    values = choices.get(name)
    if values is None:
        return None
    ends = _texts(after, choices)
    if ends is None:
        return None
    return [f'{before}{value}{end}' for value in values for end in ends]


def remembered_list() -> str | None:
    """Return what ``--list`` would print; None where only loading the task files can tell, as with any Python."""
    if any(name.startswith('PARPROC_') and name not in NO_OPTIONS for name in os.environ):
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
    named: list[str] = []
    start = os.environ.get('PARPROC_DIRECTORY') or os.getcwd()
    for place, word in enumerate(before):
        following = before[place + 1] if place + 1 < len(before) else ''
        option, equals, value = word.partition('=')
        if word in ('-f', '--file') and following:
            named.append(following)
        elif option == '--file' and equals:
            named.append(value)
        elif word in ('-C', '--directory') and following:
            start = following
        elif option == '--directory' and equals:
            start = value
    if not named and os.environ.get('PARPROC_FILE'):
        named = os.environ['PARPROC_FILE'].split(os.pathsep)
    if named:
        paths = [os.path.abspath(os.path.expanduser(path)) for path in named]
        return sorted(paths, key=lambda path: not path.endswith('.toml'))
    folder = os.path.abspath(os.path.expanduser(start))
    while True:
        found = [path for name in (TOML, PYTHON) if os.path.isfile(path := os.path.join(folder, name))]
        if not found and _has_table(path := os.path.join(folder, PYPROJECT)):
            found = [path]
        parent = os.path.dirname(folder)
        if found or parent == folder:
            return found
        folder = parent


def _has_table(path: str) -> bool:
    try:
        with open(path, 'rb') as file:
            return any(line.lstrip().startswith((b'[tool.parproc', b'["tool"."parproc')) for line in file)
    except OSError:
        return False
