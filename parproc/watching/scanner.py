"""Looks at files again and again and says which of them have changed: a program of its own, run by its path.

Its standard input is one line of JSON, ``[[folder, patterns, ignored patterns], ...]``, and its end is this program's
end. For each item whose files are not as they were it writes ``[item's place in the list, when]`` in a line of JSON,
``when`` being the latest change, in seconds since the epoch, at the latest that it can have been; at the start it does
so for every item that has files. A burst of changes is one line. It asks the file system rather than waiting to be
told, which works wherever files can be read: on network shares, in containers, for files that do not exist yet.

What a pattern means is what :mod:`glob` says, and a folder means all that is below it; names that begin with a dot are
met only by patterns that begin so.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import select
import stat
import sys
import time
from collections.abc import Iterator

SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 0.5
PAUSE_TO_SCAN_RATIO = 5
CALM_SECONDS = 0.05
LONGEST_BURST_SECONDS = 1.0
COARSE_CLOCK = 5  # CLOCK_REALTIME_COARSE in Linux' <linux/time.h>, the clock that files are stamped with
TICK_NANOSECONDS = int(1e9 * time.clock_getres(COARSE_CLOCK)) if sys.platform == 'linux' else 0
MAGIC = re.compile(r'[*?[]')
Stamp = tuple[int, int, int, int]
Files = dict[str, Stamp]


class Scan:
    """One look at the disk: each folder and file is looked at once, however many patterns lead to it."""

    def __init__(self) -> None:
        self._listed: dict[str, tuple[list[str], list[str]]] = {}
        self._found: dict[str, os.stat_result | None] = {}

    def files(self, folder: str, patterns: list[str], ignored: list[str]) -> Files:
        """Return the files that ``patterns`` name but ``ignored`` do not, with a stamp that every change changes."""
        paths = self._named(folder, patterns)
        for path in self._named(folder, ignored) if ignored else ():
            paths.pop(path, None)
        return {path: _stamp(found) for path in paths if (found := self._look(path)) is not None}

    def _named(self, folder: str, patterns: list[str]) -> dict[str, None]:
        found: dict[str, None] = {}
        for pattern in patterns:
            whole = os.path.normpath(os.path.join(folder, pattern))
            for path in self._find(os.sep, [part for part in whole.split(os.sep) if part]):
                at = self._look(path)
                if at is not None and stat.S_ISDIR(at.st_mode):
                    found.update(dict.fromkeys(self._below(path)))
                else:
                    found[path] = None
        return found

    def _find(self, folder: str, parts: list[str]) -> Iterator[str]:
        if not parts:
            yield folder
            return
        head, *rest = parts
        if head == '**':
            yield from self._find(folder, rest)
            for name in self._list(folder)[1] if rest else ():
                if not name.startswith('.'):
                    yield from self._find(os.path.join(folder, name), parts)
        elif MAGIC.search(head):
            names, folders = self._list(folder)
            for name in (*folders, *names):
                if fnmatch.fnmatchcase(name, head) and (not name.startswith('.') or head.startswith('.')):
                    yield from self._find(os.path.join(folder, name), rest)
        else:
            yield from self._find(os.path.join(folder, head), rest)

    def _below(self, folder: str) -> Iterator[str]:
        names, folders = self._list(folder)
        yield from (os.path.join(folder, name) for name in names if not name.startswith('.'))
        for name in folders:
            if not name.startswith('.'):
                yield from self._below(os.path.join(folder, name))

    def _list(self, folder: str) -> tuple[list[str], list[str]]:
        """Return the names of a folder's files and of its folders, links to folders among the files."""
        listed = self._listed.get(folder)
        if listed is None:
            listed = self._listed[folder] = ([], [])
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        listed[entry.is_dir(follow_symlinks=False)].append(entry.name)
            except OSError:
                pass  # gone, no folder, or not ours to read: nothing is in it
        return listed

    def _look(self, path: str) -> os.stat_result | None:
        if path not in self._found:
            try:
                self._found[path] = os.stat(path)
            except OSError:
                self._found[path] = None
        return self._found[path]


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns


def latest(before: Files, after: Files) -> int | None:
    """Return when the latest change between two looks was made, in nanoseconds; None when there was none.

    What is gone changed when the folder that it was in did.
    """
    moments = [stamp[3] for path, stamp in after.items() if _content(before.get(path)) != _content(stamp)]
    moments += [_folder_changed(path) for path in before.keys() - after.keys()]
    return max(moments, default=None)


def _content(stamp: Stamp | None) -> tuple[int, ...] | None:
    return None if stamp is None else stamp[:3]


def _folder_changed(path: str) -> int:
    while True:
        path = os.path.dirname(path)
        try:
            return os.stat(path).st_mtime_ns
        except OSError:
            if path == os.sep:
                return time.time_ns()


def watch(items: list[tuple[str, list[str], list[str]]], standard_input: int) -> None:
    """Write a line for each burst of changes, until the input ends.

    Files are stamped with a clock that goes in ticks, and on a network share with somebody else's: what was not so at
    the last look has changed since.
    """
    files: list[Files] = [{} for _ in items]
    changed: dict[int, int] = {}
    began: float | None = None
    looked = 0
    while True:
        started, looked, before = time.monotonic(), time.time_ns(), looked
        scan = Scan()
        still = True
        for number, item in enumerate(items):
            now = scan.files(*item)
            moment = latest(files[number], now)
            files[number] = now
            if moment is not None:
                changed[number] = max(moment + TICK_NANOSECONDS, before, changed.get(number, 0))
                still = False
        ended = time.monotonic()
        if changed and began is None:
            began = ended
        if changed and (still or ended - (began or ended) > LONGEST_BURST_SECONDS):
            print(json.dumps([[number, moment / 1e9] for number, moment in changed.items()]), flush=True)
            changed, began = {}, None
        usual = min(LONGEST_PAUSE_SECONDS, max(SHORTEST_PAUSE_SECONDS, PAUSE_TO_SCAN_RATIO * (ended - started)))
        if select.select([standard_input], [], [], CALM_SECONDS if changed else usual)[0]:
            return


def main() -> None:
    """Take the one line of input, and watch."""
    try:
        watch(json.loads(sys.stdin.readline()), sys.stdin.fileno())
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(0)


if __name__ == '__main__':
    main()
