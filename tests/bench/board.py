"""What the board and the history cost: ``python -m tests.bench.board [SCALE]``. SCALE (default 1.0) shrinks counts."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import TypeAlias

from parproc.context import ProcContext
from parproc.core.attempt import Attempt
from parproc.core.events import TaskStarted
from parproc.core.model import ProcState
from parproc.core.view import RunBegan, RunView
from parproc.engine.command_run import execute
from parproc.engine.display import Display
from parproc.report.board.frame import FrameInputs, draw
from parproc.report.board.live import LiveReporter
from parproc.report.fanout import Reporters
from parproc.report.history_recorder import HistoryRecorder
from parproc.report.lines.plain import PlainReporter
from parproc.report.reporter import Reporter
from parproc.report.style import Style
from parproc.session import Session, workspace_of
from parproc.store.history import History

LogPath: TypeAlias = Callable[[str], str]
"""Proc name -> where its log is."""


def nothing(_context: ProcContext) -> None:
    """Do nothing."""


def frame(running: int) -> float:
    """Seconds for a frame while that many procs run."""
    view = RunView()
    view.take(RunBegan('id', (), 'LOGS', running, 100_000, 0.0))
    names = [f'proc::{number}' for number in range(running)]
    for number, name in enumerate(names):
        view.take(TaskStarted(name, 1, number / 100))
    outputs = dict.fromkeys(names, 'compiling \x1b[31mmain.c\x1b[0m with all warnings ' * 20)
    style = Style(io.TextIOWrapper(io.BytesIO(), encoding='utf-8'), colour=True)
    spent = []
    for number in range(50):
        began = time.perf_counter()
        draw(view, 10.0 + number, style, FrameInputs(200, 60, outputs, lambda _name: 20.0, 60.0))
        spent.append(time.perf_counter() - began)
    return sorted(spent)[len(spent) // 2]


def attempts(count: int, run: int) -> list[Attempt]:
    return [
        Attempt(f'p{number}', 1, 1e9 + run, 1e9 + run + 1, ProcState.SUCCEEDED, None, '', 1.0)
        for number in range(count)
    ]


def written(count: int, rounds: int) -> float:
    """Seconds a proc, for runs of that many procs handed over in batches of a hundred."""
    spent = []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(rounds):
            history = History(f'{folder}/parproc.db')
            history.begin('id', [], 1.0)
            done = attempts(count, run)
            began = time.perf_counter()
            history.want([one.name for one in done])
            for start in range(0, count, 100):
                history.record(done[start : start + 100])
                history.flush()
            history.end(0, 2.0)
            spent.append((time.perf_counter() - began) / count)
            history.close()
    return min(spent)


def opened(count: int, procs: int) -> tuple[float, int]:
    """Seconds from nothing to the usual times of a run's procs, in a file of that many attempts."""
    with tempfile.TemporaryDirectory() as folder:
        path = f'{folder}/parproc.db'
        history = History(path)
        for run in range(max(1, count // procs)):
            history.begin('id', [], 1.0)
            history.record(attempts(procs, run))
            history.end(0, 2.0)
        history.close()
        spent = []
        for _ in range(5):
            began = time.perf_counter()
            history = History(path)
            known = history.expected([f'p{number}' for number in range(procs)])
            history.begin('id', [], 1.0)
            spent.append(time.perf_counter() - began)
            assert len(known) == procs
            history.end(0, 2.0)
            history.close()
        return sorted(spent)[2], os.path.getsize(path)


def run_of(count: int, reporters: Callable[[LogPath], list[Reporter]]) -> float:
    """Seconds for a run of procs that do nothing."""
    session = Session(parallel=4)
    for number in range(count):
        session.Proc(f'p{number}', nothing)
    began = time.perf_counter()
    workspace = workspace_of(session)
    execute(
        workspace,
        list(workspace.catalog.procs),
        display=lambda planned: Display(Reporters(reporters(planned.folder.log_path))),
    )
    return time.perf_counter() - began


def quiet(log_path: LogPath) -> list[Reporter]:
    return [PlainReporter(Style(open(os.devnull, 'w'), colour=False), log_path, quiet=True)]


def against_quiet(count: int, rounds: int) -> tuple[float, float]:
    """How many times as long a run takes with the board on a terminal, and with board and history, as a quiet one."""
    master, slave = os.openpty()

    swallow = subprocess.Popen(['wc', '-c'], stdin=master, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    os.close(master)
    stream = open(slave, 'w', encoding='utf-8')

    def live(log_path: LogPath) -> list[Reporter]:
        return [LiveReporter(Style(stream, colour=True), log_path, usual=lambda _name: None)]

    with tempfile.TemporaryDirectory() as folder:

        def both(log_path: LogPath) -> list[Reporter]:
            return [*live(log_path), HistoryRecorder(History(f'{folder}/parproc.db'), time.time() - time.monotonic())]

        ratios = []
        for _ in range(rounds):
            base, board, all_of_it, again = (run_of(count, how) for how in (quiet, live, both, quiet))
            reference = (base + again) / 2
            ratios.append((board / reference, all_of_it / reference))
    stream.close()
    assert int(swallow.communicate(timeout=60)[0]) > count, 'the board wrote nothing'
    board, both_of_them = (sorted(ratio[which] for ratio in ratios)[rounds // 2] for which in (0, 1))
    return board, both_of_them


def show(what: str, value: str, target: str) -> None:
    print(f'{what:<66} {value:<18} target {target}', flush=True)


def main() -> None:
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0

    def scaled(count: int) -> int:
        return max(10, int(count * scale))

    show('a frame, 500 running', f'{frame(500) * 1e3:.2f} ms', '< 10 ms')
    show('history, a proc written', f'{written(scaled(1000), 5) * 1e3:.3f} ms', '< 0.1 ms')
    seconds, size = opened(scaled(1_000_000), scaled(1000))
    what = f'opening {scaled(1_000_000):,} attempts ({size / 1e6:.0f} MB) for {scaled(1000):,} procs'
    show(what, f'{seconds * 1e3:.1f} ms', '< 50 ms')
    board, both = against_quiet(scaled(2000), 3)
    show('2,000 empty procs with the board, against quiet', f'{board:.2f}', '<= 1.15')
    show('the same with board and history', f'{both:.2f}', '')


if __name__ == '__main__':
    main()
