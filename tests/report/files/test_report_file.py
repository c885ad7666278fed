"""Reports that cannot be written when the run ends: which, where to and why is said, and the run goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from parproc.core.events import TaskFinished
from parproc.core.model import SUCCESS
from parproc.core.view import RunEnded
from parproc.report.fanout import Reporters
from parproc.report.files.html_page import HtmlReporter
from parproc.report.files.junit import JunitReporter
from parproc.report.files.trace import TraceReporter
from parproc.report.lines.github import GithubReporter
from parproc.report.reporter import Reporter
from tests.report.teller import Both

FULL = '/dev/full'
"""A device on which there is never room."""

needs_full = pytest.mark.skipif(not os.path.exists(FULL), reason='no device here is always full')


def junit(path: str) -> Reporter:
    return JunitReporter(path, str)


def html(path: str) -> Reporter:
    return HtmlReporter(path, str)


REPORTS = [(junit, 'JUnit report'), (html, 'HTML report'), (TraceReporter, 'trace')]


@needs_full
@pytest.mark.parametrize(('make', 'what'), REPORTS)
def test_a_report_for_which_there_is_no_room_says_which_file_and_why(
    make: Callable[[str], Reporter], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reporters = Reporters([make(FULL)])
    reporters.handle(TaskFinished('a', SUCCESS, 1, 0.0, 1.0))
    reporters.handle(RunEnded(0, 1.0))
    assert capsys.readouterr().err == f'parproc: the {what} cannot be written to "{FULL}": No space left on device\n'


@pytest.mark.parametrize(('make', 'what'), REPORTS)
def test_a_report_whose_folder_is_gone_says_which_file_and_why(
    make: Callable[[str], Reporter], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'folder').mkdir()
    path = f'{tmp_path}/folder/report'
    reporters = Reporters([make(path)])
    (tmp_path / 'folder').rmdir()
    reporters.handle(RunEnded(0, 1.0))
    assert capsys.readouterr().err == f'parproc: the {what} cannot be written to "{path}": No such file or directory\n'


@needs_full
def test_a_summary_of_a_step_for_which_there_is_no_room_says_which_file_and_why(told: Callable[..., Both]) -> None:
    both = told(lambda out, style, log_path: GithubReporter(out, style, log_path, summary_path=FULL))
    text = both.tell(RunEnded(0, 1.0))
    assert f'warning: the summary of the step cannot be written to "{FULL}": No space left on device\n' in text
