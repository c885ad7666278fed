"""The state folder as it is found: it may have come with somebody else's project, and is used whole or not at all."""

from __future__ import annotations

import contextlib
import os

from parproc.host.private_folders import check_ours

DATABASE = 'parproc.db'
RUNS = 'runs'
BESIDE = ('', '-journal', '-wal', '-shm', '-runs')
JOURNAL_MAGIC = b'\xd9\xd5\x05\xf9\x20\xa1\x63\xd7'


def check_state(root: str) -> None:
    """See to it that nothing of a state folder is a link, or somebody else's; what is missing is no harm.

    Raises:
        OSError: with the reason.
    """
    for folder in (root, os.path.join(root, RUNS)):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            check_ours(folder, folder=True)
    check_database(os.path.join(root, DATABASE))


def check_database(path: str) -> None:
    """Do the same for a database and the files that belong to it.

    Raises:
        OSError: with the reason.
    """
    for ending in BESIDE:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            check_ours(path + ending, folder=False)


def names_other_files(journal: str) -> bool:
    """Return whether a journal ends in the name of another file, which SQLite would remove after playing it back.

    Ours never do: they name one when a transaction changes several databases at once.
    """
    try:
        with open(journal, 'rb') as file:
            file.seek(-len(JOURNAL_MAGIC), os.SEEK_END)
            return file.read() == JOURNAL_MAGIC
    except OSError:
        return False
