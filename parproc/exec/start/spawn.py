"""A child for a command: spawned by this process itself, with no Python in between."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Callable, Mapping
from typing import TypeAlias

from parproc.exec import system
from parproc.exec.cpython import encoded_environment, plain_signal
from parproc.exec.job_log import open_log
from parproc.exec.protocol import Job, Warned, start_error

Streams: TypeAlias = tuple[tuple[int, int], ...]
IN_DIRECTORY = ('/bin/sh', '-c', 'cd -- "$1" && shift && exec "$@"', 'sh')
"""Nothing but a shell can be spawned in another folder on every system."""
OF_SHELLS = re.compile(
    rb'(?![A-Za-z_][A-Za-z0-9_]*\Z)|(?:SHELLOPTS|BASH\w*|ENV|POSIXLY_CORRECT|OLDPWD|IFS|OPTIND|PPID|PS4|LINENO|RANDOM'
    rb'|SECONDS|SHLVL|E?UID|GROUPS|_)\Z'
)
"""Variables that a shell acts on, drops or changes when it is only on the way to a program."""
NOT_TO_BE_RUN = {
    errno.ENOENT: 'command not found',
    errno.ENOTDIR: 'command not found',
    errno.EACCES: 'command may not be executed',
    errno.ENOEXEC: 'command is no program',
    errno.E2BIG: 'command is too long',
    errno.ELOOP: 'command is a ring of links',
    errno.ENAMETOOLONG: 'command is too long a name',
}


class UnusableCommandError(Exception):
    """A command can never be run; ``reason`` is a line for people, which stands in the log as well."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def spawn_command(
    job: Job, words: tuple[str, ...], nothing: int, post: Callable[[Warned], None], *, first: bool
) -> int:
    """Start a command as the leader of a session of its own, with its output in the job's log, where it has one.

    Args:
        job: whose command.
        words: the program and its arguments.
        nothing: descriptor of ``/dev/null``.
        post: is told what goes wrong with the log.
        first: it is the first command of this attempt.

    Returns:
        Its process id.

    Raises:
        UnusableCommandError: when there is no such program, or it cannot be run.
        StartError: when the system refuses.
    """
    log, warning = (nothing, '') if job.interactive else open_log(job, nothing, first=first)
    in_terminal = job.interactive and os.isatty(0)
    try:
        environment = {**encoded_environment(), **_encoded(job.environment)}
        program, words = _located(job, words, environment)
        to_log = () if job.log_path is None else ((log, 1), (log, 2))
        streams = () if job.interactive else ((nothing, 0), *to_log)
        start = _start if system.LINUX else _start_anywhere
        pid = start(program, words, environment, streams, in_terminal=in_terminal)
    except (OSError, ValueError) as error:
        reason = _reason(error, words[0])
        if reason is None and isinstance(error, OSError):
            raise start_error(error) from None
        if log != nothing:
            os.write(log, f'{reason}\n'.encode('utf-8', 'backslashreplace'))
        raise UnusableCommandError(str(reason)) from None
    finally:
        if log != nothing:
            os.close(log)
    if warning:
        post(Warned(warning))
    return pid


def _start(
    program: str,
    words: tuple[str, ...],
    environment: Mapping[bytes, bytes],
    streams: Streams,
    *,
    in_terminal: bool,
) -> int:
    """Spawn a program in a session of its own, or in a group of its own where it has the terminal.

    Args:
        program: looked for on the search path where it has no slash.
        words: its arguments, its name first.
        environment: all of it.
        streams: pairs of a descriptor of this process and one that it is to be there.
        in_terminal: it has the terminal.
    """
    return os.posix_spawnp(
        program,
        words,
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, ours, theirs) for ours, theirs in streams],
        **({'setpgroup': 0} if in_terminal else {'setsid': True}),
        setsigmask=(),
        setsigdef=ignored_signals(),
    )


def _start_anywhere(
    program: str,
    words: tuple[str, ...],
    environment: Mapping[bytes, bytes],
    streams: Streams,
    *,
    in_terminal: bool,
) -> int:
    """Do the same where a system's way to spawn knows of no sessions."""
    import subprocess

    ignored = ignored_signals()

    def prepare() -> None:
        if in_terminal:
            os.setpgid(0, 0)
        else:
            os.setsid()
        for ours, theirs in streams:
            os.dup2(ours, theirs)
        for number in ignored:
            plain_signal.signal(number, plain_signal.SIG_DFL)
        plain_signal.pthread_sigmask(plain_signal.SIG_SETMASK, ())

    process = subprocess.Popen(
        words,
        executable=program,
        env=environment,
        close_fds=False,
        preexec_fn=prepare,  # noqa: PLW1509 - takes no locks, and is called where there is no other way
    )
    process.returncode = 0  # or the module would wait for it, sooner or later, and take its status
    return process.pid


def ignored_signals() -> list[int]:
    """Return the signals that a program started by this one would ignore, were it not told otherwise."""
    ask, ignore = plain_signal.getsignal, plain_signal.SIG_IGN
    return [number for number in range(1, plain_signal.NSIG) if ask(number) == ignore]


def _encoded(environment: Mapping[str, str]) -> dict[bytes, bytes]:
    return {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}


def _located(job: Job, words: tuple[str, ...], environment: dict[bytes, bytes]) -> tuple[str, tuple[str, ...]]:
    """Return the program to start and its words, where the job has a search path or a folder of its own.

    What a shell on the way would act on is taken out of the environment, and put back by the words.
    """
    if job.directory is not None and job.directory != os.getcwd():
        if not os.path.isdir(job.directory):
            raise UnusableCommandError(f'working directory {job.directory}: there is no such folder')
        if '/' not in words[0] and shutil.which(words[0], path=_search_path(job.environment)) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        apart = [name for name in environment if OF_SHELLS.match(name)]
        if apart and '=' not in words[0]:
            words = ('/usr/bin/env', *(os.fsdecode(name + b'=' + environment.pop(name)) for name in apart), *words)
        # a relative folder would be looked for in CDPATH, and "-" is the folder before
        return IN_DIRECTORY[0], (*IN_DIRECTORY, os.path.join(os.getcwd(), job.directory), *words)
    if 'PATH' in job.environment and '/' not in words[0]:
        found = shutil.which(words[0], path=_search_path(job.environment))
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return found, words
    return words[0], words


def _search_path(environment: Mapping[str, str]) -> str:
    return environment.get('PATH', os.environ.get('PATH', os.defpath))


def _reason(error: OSError | ValueError, program: str) -> str | None:
    """Return why a command can never be run, None when it may be possible at another time."""
    if isinstance(error, ValueError):
        return f'a word of the command cannot be passed on: {error}'
    said = NOT_TO_BE_RUN.get(error.errno or 0)
    return None if said is None else f'{said}: {program}'


def keep_descriptors_here() -> None:
    """Let no descriptor but 0, 1 and 2 pass on to spawned commands, whoever opened it."""
    for entry in os.listdir('/dev/fd'):
        if int(entry) > 2:
            try:
                os.set_inheritable(int(entry), False)
            except OSError:
                continue
