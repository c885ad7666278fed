"""``python -m parproc`` and the ``parproc`` command.

What needs neither a task file nor an option parser is answered before either is imported: completion, the version, the
help, the completion scripts.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
import sys


def main() -> None:
    """Run the command line."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # until there is something to do before dying of it
    _library_first()
    from parproc.cli.output import secure_streams

    secure_streams()
    if '_PARPROC_COMPLETE' in os.environ:
        from parproc.cli.completion import answer

        _answer(answer(os.environ['_PARPROC_COMPLETE']))
        return
    text = _quick_answer(sys.argv[1:])
    if text is None:
        from parproc.cli.main import main as run

        run()
    else:
        _answer(text)


def _answer(text: str) -> None:
    """Write what was asked for, and end as the command line would where that cannot be done."""
    from parproc.cli.output import WriteError, complain_of_output, emit

    try:
        emit(text)
    except BrokenPipeError:
        from parproc.cli.main import die_of_closed_output

        die_of_closed_output()
    except WriteError as error:
        sys.exit(complain_of_output(error))


def _library_first() -> None:
    """Leave out the current folder that Python puts on ``sys.path``, and put what is in front of the library last.

    That may be folders of the project, from ``PYTHONPATH``: they get their place once it is known which it is.
    """
    try:
        here = os.getcwd()
    except OSError:
        here = ''
    if sys.path[:1] in ([''], ['.'], [here]) and not getattr(sys.flags, 'safe_path', sys.flags.isolated):
        del sys.path[0]
    library = os.path.dirname(os.__file__)
    if library in sys.path:
        place = sys.path.index(library)
        sys.path[:] = [*sys.path[place:], *sys.path[:place]]


def _quick_answer(arguments: list[str]) -> str | None:
    """Return what can be said without reading any further; None when there is more to do."""
    if arguments == ['--version']:
        from parproc import __version__

        return f'parproc {__version__}\n'
    if arguments in (['--help'], ['-h']):
        from parproc.cli.help_text import help_text

        return help_text()
    if arguments in (['--list'], ['-l']) and not os.isatty(1):
        from parproc.cli.completion import remembered_list

        return remembered_list()
    if arguments and arguments[0].startswith('--completion'):
        shell = arguments[1:] if arguments[0] == '--completion' else [arguments[0].partition('=')[2], *arguments[1:]]
        from parproc.cli.completion_scripts import completion_script

        if len(shell) == 1:
            return completion_script(shell[0])
    return None


if __name__ == '__main__':
    main()
