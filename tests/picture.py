"""Draw the picture in the README anew, from a real run on a real terminal: ``python -m tests.picture``."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import textwrap
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

from tests.terminal import Terminal

PICTURE = Path(__file__).parent.parent / 'examples' / 'board.svg'
COLUMNS, LINES = 96, 26
NAMES = {'brown': 'yellow'}
TASKS = """
    import time
    import parproc as pp

    @pp.Proc
    def lint(context):
        time.sleep(0.6)

    @pp.Proto('build::[env]', deps=['lint'], arg_choices={'env': ['dev', 'staging', 'prod']})
    def build(context, env):
        files = ['main.c', 'words.c', 'count.c', 'table.c', 'parse.c', 'print.c']
        for number, file in enumerate(files):
            print(f'gcc -O2 -Wall -c source/{file} -o build/{env}/{file[:-2]}.o')
            context.progress(number / len(files), f'compiling {file}')
            time.sleep({'dev': 0.25, 'staging': 0.4, 'prod': 0.55}[env])

    @pp.Proto('test::[env]', deps=['build::[env]'], arg_choices={'env': ['dev', 'staging', 'prod']})
    def test(context, env):
        for number in range(12):
            print(f'test_{number:02} ok')
            time.sleep(0.15)
            if env == 'staging' and number == 3:
                assert 'sea' == 'see', 'the words differ'

    @pp.Proc(deps=['lint'])
    def docs(context):
        for number in range(30):
            print(f'page {number} of 30')
            time.sleep(0.2)

    @pp.Proto('deploy::[env]', deps=['test::[env]'], locks=['servers'], arg_choices={'env': ['dev', 'prod']})
    def deploy(context, env):
        print('copying to the servers')
        time.sleep(1.5)
"""


def drawn(screen: pyte.Screen) -> Text:
    """What a terminal shows, as rich text."""
    text = Text()
    for line in range(screen.lines):
        for column in range(screen.columns):
            char = screen.buffer[line][column]
            colour = None if char.fg == 'default' else NAMES.get(char.fg, char.fg)
            text.append(char.data, Style(color=colour, bold=char.bold))
        text.rstrip()
        text.append('\n')
    return text


def main() -> None:
    """Run a small project twice, so that usual times are known, and draw it in the middle of the second run."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, 'tasks.py').write_text(textwrap.dedent(TASKS))
        environment = {**os.environ, 'TERM': 'xterm-256color', 'PYTHONPATH': str(PICTURE.parent.parent)}
        command = [sys.executable, '-m', 'parproc', '-j5', 'deploy::*', 'test::*', 'docs']
        for _ in range(2):
            with Terminal(command, columns=COLUMNS, lines=LINES, cwd=folder, env=environment) as terminal:
                terminal.wait_for('words differ')
                terminal.wait_for('waits for')
                console = Console(record=True, width=COLUMNS, file=io.StringIO())
                console.print(drawn(terminal.screen), end='')
                terminal.finish()
    picture = console.export_svg(title="parproc 'deploy::*' 'test::*' docs", unique_id='board')
    PICTURE.write_text(picture.replace(os.path.realpath(folder), '~/words'))


if __name__ == '__main__':
    main()
