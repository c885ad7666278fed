"""``python -m parproc`` and the ``parproc`` command."""

from __future__ import annotations

from typing import NoReturn


def main() -> NoReturn:
    """Run the command line."""
    from parproc.cli.main import main as run

    run()


if __name__ == '__main__':
    main()
