"""One reporter that breaks harms neither the run nor the others."""

from __future__ import annotations

import pytest

from parproc.core.events import Announcement
from parproc.core.view import Message, RunView, RunWarned
from parproc.report.fanout import Reporters
from parproc.report.reporter import Reporter


class Recorder(Reporter):
    """Notes what it is told."""

    def __init__(self, due: float | None = None) -> None:
        self.messages: list[Announcement | Message] = []
        self.ticks: list[float] = []
        self.due = due

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        self.messages.append(message)

    def next_tick(self, view: RunView) -> float | None:
        return self.due

    def tick(self, now: float, view: RunView) -> None:
        self.ticks.append(now)


class Breaking(Recorder):
    """Raises in one of its methods."""

    def __init__(self, method: str, error: Exception) -> None:
        super().__init__()
        setattr(self, method, self._raise)
        self.error = error
        self.calls = 0

    def _raise(self, *_arguments: object) -> None:
        self.calls += 1
        raise self.error


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize('method', ['handle', 'tick', 'next_tick'])
@pytest.mark.parametrize('error', [ValueError('bad\x1b[2J' + 'x' * 1000), Unprintable(), OSError(28, 'disk full')])
def test_a_broken_reporter_is_dropped_with_one_line(
    method: str, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, healthy = Breaking(method, error), Recorder()
    reporters = Reporters([broken, healthy])
    for now in (1.0, 2.0):
        reporters.handle(RunWarned('x'))
        reporters.tick(now)
        reporters.next_tick(now)
    said = capsys.readouterr().err
    assert broken.calls == 1
    assert (len(healthy.messages), healthy.ticks) == (2, [1.0, 2.0])
    assert said.startswith('parproc: Breaking broke and was dropped: ')
    assert said.count('\n') == 1
    assert len(said) < 300
    assert '\x1b' not in said


@pytest.mark.parametrize('method', ['handle', 'tick'])
def test_output_that_nobody_reads_is_reported_after_all_were_told(method: str) -> None:
    healthy = Recorder()
    reporters = Reporters([Breaking(method, BrokenPipeError()), healthy])
    with pytest.raises(BrokenPipeError):
        reporters.handle(RunWarned('x')) if method == 'handle' else reporters.tick(1.0)
    assert healthy.messages or healthy.ticks


def test_the_nearest_tick_counts_and_is_never_past() -> None:
    reporters = Reporters([Recorder(None), Recorder(7.0), Recorder(5.0)])
    assert reporters.next_tick(1.0) == 5.0
    assert reporters.next_tick(6.0) == 6.0
    assert Reporters([Recorder(None)]).next_tick(0.0) is None
