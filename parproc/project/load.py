"""Loading ``tasks.py``: run as a module, its mistakes shown as its author would want to see them."""

from __future__ import annotations

import os
import sys
import types

from parproc.errors import ParprocError, UserError
from parproc.project.trust import check_trust

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class TaskFileError(UserError):
    """A task file raised; ``trace`` holds the user's own frames, one line each."""

    def __init__(self, message: str, trace: str) -> None:
        super().__init__(message)
        self.trace = trace


def load_python(path: str, package: str = '') -> None:
    """Run a task file, which declares its procs in the default session.

    Its folder comes first on ``sys.path``, and the module is registered, so that what it defines can be pickled.

    Args:
        path: the file.
        package: what the module's name begins with, to tell it from others of the same file name.

    Raises:
        UserError: when it may not be run, cannot be read, or raises; parproc's own errors pass as they are.
    """
    check_trust(path)
    name = os.path.splitext(os.path.basename(path))[0]
    name = f'{package}.{name}' if package else name
    folder = os.path.dirname(path)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        with open(path, 'rb') as file:
            code = compile(file.read(), path, 'exec')
    except SyntaxError as error:
        raise _syntax_error(path, error) from error
    except (OSError, ValueError) as error:
        raise UserError(f'{path} cannot be read: {error}') from error
    module = types.ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    try:
        exec(code, module.__dict__)  # noqa: S102
    except ParprocError as error:
        raise _located(path, error) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        trace, place = _user_frames(error)
        text = str(error).splitlines()
        shown = f'{type(error).__name__}: {text[0]}' if text else type(error).__name__
        raise TaskFileError(f'{place or path}: {shown}', trace) from error


def _located(path: str, error: ParprocError) -> ParprocError:
    """Say which line of the task file was wrong."""
    place = _user_frames(error)[1]
    return type(error)(f'{place or path}: {error.message}', hint=error.hint)


def _syntax_error(path: str, error: SyntaxError) -> TaskFileError:
    line = (error.text or '').rstrip('\n')
    stripped = line.lstrip()
    caret = ' ' * max(0, (error.offset or 1) - 1 - (len(line) - len(stripped))) + '^'
    return TaskFileError(f'{error.filename or path}:{error.lineno}: {error.msg}', f'    {stripped}\n    {caret}')


def _user_frames(error: BaseException) -> tuple[str, str]:
    """Return the traceback without parproc's frames, and the innermost place in it."""
    import traceback

    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((PACKAGE, '<frozen'))
    ]
    shown = frames if len(frames) <= 12 else [*frames[:6], *frames[-6:]]
    place = f'{frames[-1].filename}:{frames[-1].lineno}' if frames else ''
    return ''.join(traceback.format_list(shown)).rstrip('\n'), place
