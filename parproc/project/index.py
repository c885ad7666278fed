"""The index for completion: what the last load of some task files declared, kept where no repository can ship one.

It is lines of words with tabs between, which the fast start reads without importing a parser. The first says which
task files it is of, those that follow which files it was made from, with their size, time and inode; the rest what can
be completed. Whatever stands in it is text without control characters.
"""

from __future__ import annotations

import os
import sys

HEADER = 'parproc-index-1'
MOST_CHOICES = 2000
MOST_KEPT_FILES = 400


def cache_folder() -> str:
    """Return the folder of the indexes: the user's cache, ``XDG_CACHE_HOME`` where that is set."""
    base = os.environ.get('XDG_CACHE_HOME', '')
    if not os.path.isabs(base):
        home = os.path.expanduser('~')
        base = os.path.join(home, 'Library', 'Caches') if sys.platform == 'darwin' else os.path.join(home, '.cache')
    return os.path.join(base, 'parproc')


def index_path(files: list[str]) -> str:
    """Return where the index of some task files is."""
    from binascii import crc32

    text = '\t'.join(files)
    data = text.encode('utf-8', 'surrogateescape')
    return os.path.join(cache_folder(), f'{crc32(data):08x}{crc32(data[::-1]):08x}.index')


def stamp(path: str) -> str:
    """Return what changes when a file does, or who may write it; empty when there is no such file."""
    try:
        status, folder = os.stat(path), os.stat(os.path.dirname(path))
    except OSError:
        return ''
    file = f'{status.st_size} {status.st_mtime_ns} {status.st_ino} {status.st_mode} {status.st_uid}'
    return f'{file} {folder.st_mode} {folder.st_uid}'


class Index:
    """What can be completed.

    Attributes:
        separator: what stands between the segments of names.
        procs: name -> description.
        protos: pattern -> description, and placeholder -> the texts it may have, None for any.
        params: names of parameters.
        lines: what ``--list`` prints, where the task files are data, so that only their change can change it.
        fresh: everything that it was made from is unchanged.
    """

    __slots__ = ('fresh', 'lines', 'params', 'procs', 'protos', 'separator')

    def __init__(self) -> None:
        self.separator = '::'
        self.procs: dict[str, str] = {}
        self.protos: dict[str, tuple[str, dict[str, list[str] | None]]] = {}
        self.params: list[str] = []
        self.lines: list[str] = []
        self.fresh = False


def read_index(files: list[str]) -> Index | None:
    """Return the index of some task files; None where there is none that can be read."""
    try:
        descriptor = os.open(index_path(files), os.O_RDONLY | os.O_NOFOLLOW)
        with open(descriptor, encoding='utf-8', errors='surrogateescape', newline='\n') as file:
            lines = file.read().split('\n')
    except OSError:
        return None
    if lines[0] != '\t'.join([HEADER, *files]) or lines[-2:] != ['end', '']:
        return None
    try:
        return _parsed(lines[1:-2])
    except IndexError:  # damaged
        return None


def _parsed(lines: list[str]) -> Index:
    index = Index()
    index.fresh = True
    choices: dict[str, list[str] | None] = {}
    for line in lines:
        kind, *words = line.split('\t')
        if kind == 'proc':
            index.procs[words[0]] = words[1]
        elif kind == 'proto':
            choices = {}
            index.protos[words[0]] = (words[1], choices)
        elif kind == 'choices':
            choices[words[0]] = words[1:]
        elif kind == 'any':
            choices[words[0]] = None
        elif kind == 'param':
            index.params.append(words[0])
        elif kind == 'file':
            if index.fresh and stamp(words[1]) != words[0]:
                index.fresh = False
        elif kind == 'separator':
            index.separator = words[0]
        elif kind == 'line':
            index.lines.append(words[0])
    return index


def write_index(
    files: list[str],
    sources: list[str],
    index: Index,
) -> None:
    """Write the index of some task files, in one piece; where that cannot be, there is none.

    Args:
        files: the task files of the project itself.
        sources: all the files it was made from.
        index: what can be completed.
    """
    lines = ['\t'.join([HEADER, *files]), f'separator\t{index.separator}']
    lines += [f'file\t{stamp(path)}\t{path}' for path in sources]
    lines += [f'param\t{name}' for name in index.params]
    lines += [f'proc\t{name}\t{one_line(text)}' for name, text in index.procs.items()]
    for pattern, (text, choices) in index.protos.items():
        lines.append(f'proto\t{pattern}\t{one_line(text)}')
        for name, texts in choices.items():
            lines.append(f'any\t{name}' if texts is None else '\t'.join(['choices', name, *texts[:MOST_CHOICES]]))
    lines += [f'line\t{line}' for line in index.lines]
    data = '\n'.join([*lines, 'end', '']).encode('utf-8', 'surrogateescape')
    path = index_path(files)
    temporary = f'{path}.{os.getpid()}'
    try:
        with open(path, 'rb') as file:
            if file.read() == data:
                return
    except OSError:
        pass
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), 'wb') as file:
            file.write(data)
        os.replace(temporary, path)
        _forget_old(os.path.dirname(path))
    except OSError:
        return


def _forget_old(folder: str) -> None:
    """Remove the oldest indexes where there are too many: of projects that were moved or deleted."""
    names = os.listdir(folder)
    if len(names) > MOST_KEPT_FILES:
        paths = sorted((os.path.join(folder, name) for name in names), key=os.path.getmtime)
        for path in paths[: len(paths) - MOST_KEPT_FILES // 2]:
            os.unlink(path)


def texts_of(choices: object) -> dict[str, list[str]]:
    """Return the choices that are lists, as texts."""
    if not isinstance(choices, dict):
        return {}
    return {
        str(name): [str(value) for value in values]
        for name, values in choices.items()
        if isinstance(values, (list, tuple))
    }


def one_line(text: str) -> str:
    """Return the start of a description, as a line that can only be read."""
    start = text[:200]
    return start if start.isprintable() else ''.join(char if char.isprintable() else ' ' for char in start)
