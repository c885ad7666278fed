"""``--init``: a small task file to start from."""

from __future__ import annotations

import os

from parproc.errors import UserError

TASKS = '''"""Tasks of this project. Try: parproc --list, parproc hello, parproc 'greet::*', parproc all"""

import subprocess

import parproc as pp


@pp.Proc
def hello(context):
    """Say hello. The first paragraph is what --list shows."""
    print('hello', *context.extra_args)


# A Proto is a family: greet::en and greet::fr are procs, 'greet::*' is both.
@pp.Proto('greet::[language]', arg_choices={'language': ['en', 'fr']}, deps=['hello'])
def greet(context, language):
    """Greet in a language, and hand a value on to whatever depends on it."""
    return {'en': 'good morning', 'fr': 'bonjour'}[language]


# Deps run first, in parallel where they can; what they returned is in context.results.
@pp.Proc(deps=['greet::*'], timeout='1m')
def all(context):
    """Show what the others returned, and run a command."""
    for name, value in context.results.items():
        print(name, '->', value)
    subprocess.run(['echo', 'done'], check=True)
'''


def write_first_file(folder: str) -> str:
    """Write a commented ``tasks.py`` into a folder and return its path.

    Raises:
        UserError: when there is one, or it cannot be written.
    """
    path = os.path.join(folder, 'tasks.py')
    try:
        with open(path, 'x', encoding='utf-8') as file:
            file.write(TASKS)
    except FileExistsError:
        raise UserError(f'{path} is there already', hint='parproc --list shows what it declares') from None
    except OSError as error:
        raise UserError(f'{path} cannot be written: {error.strerror}') from None
    return path
