#!python
"""The ``parproc`` command as it is installed: unlike what installers would write, it imports nothing else first."""

import _signal  # type: ignore[import-not-found]

if __name__ == '__main__':
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # from the first moment on Ctrl-C ends it without a word
    from parproc.__main__ import main

    main()
