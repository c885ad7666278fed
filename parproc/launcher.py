#!python
"""The ``parproc`` command as it is installed: unlike what installers would write, it imports nothing else first."""

from parproc.__main__ import main

if __name__ == '__main__':
    main()
