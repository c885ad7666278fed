"""The descriptors 0, 1 and 2, which a process may have been given closed, or may have closed itself."""

from __future__ import annotations

import os

STANDARD_DESCRIPTORS = (0, 1, 2)


def fill_standard_descriptors() -> None:
    """Have something open as descriptors 0, 1 and 2, so that no file that is opened later becomes one of them.

    In place of a closed one stands what behaves like it as far as programs can tell: reading finds nothing, and writing
    fails, so that nothing written there is lost in silence. Open ones are left as they are.

    Raises:
        OSError: when not even ``/dev/null`` can be opened.
    """
    for descriptor in STANDARD_DESCRIPTORS:
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDONLY)  # gets the lowest number that is free
            if opened == descriptor:
                os.set_inheritable(opened, True)
            else:  # another thread was faster, and something of its own is open there
                os.close(opened)
