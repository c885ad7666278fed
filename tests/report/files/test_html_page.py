"""The page about a run: what it says, and that nothing in it acts."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from parproc.core.events import TaskFinished, TaskWanted
from parproc.core.model import ErrorKind, failure
from parproc.core.view import RunEnded
from parproc.report.fanout import Reporters
from parproc.report.files.html_page import HtmlReporter
from tests.report.teller import ran, wanted


class Page(HTMLParser):
    """Tags and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ''
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_tells_of_every_proc_and_shows_hostile_text_as_text(tmp_path: Path) -> None:
    evil = '<script>alert(1)</script>\x1b[2J'
    (tmp_path / 'bad.log').write_text(f'error: {evil}\n')
    reporters = Reporters([HtmlReporter(f'{tmp_path}/page.html', lambda _: f'{tmp_path}/bad.log', clock=lambda: 0.0)])
    for message in (
        *wanted('good', evil),
        TaskWanted('after', 1.0, (evil,), 0.0),
        *ran('good'),
        *ran(evil, failure(ErrorKind.EXIT, f'exit 2 {evil}')),
        TaskFinished('after', failure(ErrorKind.DEPENDENCY_FAILED, 'dependency failed'), 0, None, 2.0),
        RunEnded(1, 2.0),
    ):
        reporters.handle(message)
    page = Page((tmp_path / 'page.html').read_text())
    assert 'script' not in page.tags and page.tags.count('tr') == 4
    assert '1 succeeded, 1 failed, 1 not run because a dependency failed · 2.0s for 2.0s of work' in page.text
    assert 'error: <script>alert(1)</script>' in page.text and '\x1b' not in page.text
    assert 'not run dependency failed' in page.text
