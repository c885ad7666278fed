"""Loading ``tasks.py``: run as a module, its mistakes shown as its author would want to see them."""

from __future__ import annotations

import os
import sys
import types

from parproc.errors import ParprocError, UserError
from parproc.project.modules import add_folder, is_needed
from parproc.project.trust import read_trusted

LONGEST_LINE_CHARACTERS = 300
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class TaskFileError(UserError):
    """A task file raised; ``trace`` holds the user's own frames, one line each."""

    def __init__(self, message: str, trace: str) -> None:
        super().__init__(message)
        self.trace = trace


def load_python(path: str, package: str = '') -> None:
    """Run a task file, which declares its procs in the default session.

    It can import what is beside it, and the module is registered, so that what it defines can be pickled.

    Args:
        path: the file.
        package: what the module's name begins with, to tell it from others of the same file name.

    Raises:
        UserError: when it may not be run, cannot be read, or raises; parproc's own errors pass as they are.
    """
    source = read_trusted(path)
    add_folder(os.path.dirname(path))
    try:
        code = compile(source, path, 'exec', dont_inherit=True)
    except SyntaxError as error:
        raise _syntax_error(path, error) from error
    except ValueError as error:
        raise UserError(f'{path} cannot be read: {error}') from error
    except (RecursionError, MemoryError) as error:
        raise UserError(f'{path} cannot be read: what it says is nested too deeply') from error
    name = _module_name(path, package)
    module = types.ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    places = list(sys.path)
    try:
        exec(code, module.__dict__)  # noqa: S102
    except ParprocError as error:
        raise _located(path, error) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        trace, place = _user_frames(error)
        raise TaskFileError(f'{place or path}: {_first_line(error)}', trace) from error
    finally:
        sys.path += [entry for entry in places if entry not in sys.path]  # parproc has more to import


def _module_name(path: str, package: str) -> str:
    """Return a name for a task file's module under which nobody looks for another module."""
    name = os.path.splitext(os.path.basename(path))[0]
    name = f'{package}.{name}' if package else name
    if is_needed(name):
        name = f'{name.replace(".", "_")}_'
    while name in sys.modules and getattr(sys.modules[name], '__file__', None) != path:
        name += '_'
    return name


def _first_line(error: BaseException) -> str:
    """Return what an exception is and the first line of its text, which it may refuse to give."""
    name = type(error).__name__
    try:
        lines = str(error).splitlines()
    except BaseException as second:
        return f'{name}, which cannot be printed: {type(second).__name__}'
    return f'{name}: {lines[0][:LONGEST_LINE_CHARACTERS]}' if lines else name


def _located(path: str, error: ParprocError) -> ParprocError:
    """Say which line of the task file was wrong."""
    place = _user_frames(error)[1]
    error.message = f'{place or path}: {getattr(error, "message", None) or _first_line(error)}'
    error.hint = getattr(error, 'hint', None)
    return error


def _syntax_error(path: str, error: SyntaxError) -> TaskFileError:
    line = (error.text or '').rstrip('\n')
    stripped = line.lstrip()
    caret = ' ' * max(0, (error.offset or 1) - 1 - (len(line) - len(stripped))) + '^'
    number = f':{error.lineno}' if error.lineno else ''
    excerpt = f'    {stripped}\n    {caret}' if stripped else ''
    return TaskFileError(f'{error.filename or path}{number}: {error.msg}', excerpt)


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
