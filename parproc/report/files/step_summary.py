"""The summary of a step on GitHub: Markdown with a table, the failures, the slowest and the graph."""

from __future__ import annotations

import html
import io
import os
import re
from collections.abc import Callable

from parproc.core.durations import format_duration
from parproc.core.events import TaskFinished, TaskWanted
from parproc.core.model import ErrorKind, ProcState
from parproc.core.terminal_text import plain_text
from parproc.core.view import HELD_BACK, EndedTask, RunEnded, RunView
from parproc.report.files.report_file import not_written
from parproc.report.logs.read_log import Ignored, failure_lines, none_ignored
from parproc.report.reporter import Reporter
from parproc.report.style import Style
from parproc.report.summary import counts_text

LARGEST_BYTES = 900_000
MOST_ROWS = 1000
MOST_EXCERPTS = 50
MOST_NODES = 150
MOST_EDGES = 400
RESERVED_BYTES = 60_000
WORDS = {
    ProcState.SUCCEEDED: '✅ succeeded',
    ProcState.FAILED: '❌ failed',
    ProcState.SKIPPED: '⏭️ skipped',
    ProcState.UP_TO_DATE: '🟰 up to date',
}


class StepSummary(Reporter):
    """Collects a run and writes its summary when it ends.

    Args:
        path: file to append to, as ``GITHUB_STEP_SUMMARY`` names it.
        log_path: proc name -> its log.
        ignored: a proc's name, and whether it succeeded -> what is found in lines of its log that are not shown.
    """

    def __init__(self, path: str, log_path: Callable[[str], str], ignored: Ignored = none_ignored) -> None:
        self._path = path
        self._log_path = log_path
        self._ignored = ignored
        self._deps: dict[str, tuple[str, ...]] = {}
        self._ended: dict[str, EndedTask] = {}

    def on_task_wanted(self, message: TaskWanted, view: RunView) -> None:
        """Note what a proc needs."""
        self._deps[message.name] = message.deps

    def on_task_finished(self, message: TaskFinished, view: RunView) -> None:
        """Note how a proc ended."""
        if view.latest is not None:
            self._ended[message.name] = view.latest

    def on_run_ended(self, message: RunEnded, view: RunView) -> None:
        """Write the summary.

        Raises:
            UserError: when the file cannot be written.
        """
        text = self._text(message, view).encode('utf-8', 'backslashreplace')
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe is not waited for
        try:
            with open(os.open(self._path, flags, 0o666), 'wb') as file:
                file.write(text)
        except OSError as error:
            raise not_written('summary of the step', self._path, error) from error

    def _text(self, end: RunEnded, view: RunView) -> str:
        began = view.began.time if view.began is not None else end.time
        counts = counts_text(Style(io.StringIO(), colour=False), view)
        sections = [f'### parproc: {counts} in {format_duration(end.time - began)}', self._table()]
        sections += self._failures(view)
        if view.slowest:
            lines = [f'- {_name(one.name)} {format_duration(one.seconds or 0.0)}' for one in view.slowest]
            sections.append('\n'.join(['#### Slowest', '', *lines]))
        graph = self._graph()
        kept: list[str] = []
        left = LARGEST_BYTES - len(graph.encode()) - RESERVED_BYTES
        for section in sections:
            size = len(section.encode()) + 2
            if size > left:
                kept.append('*More was left out: the summary would have been too large.*')
                break
            kept.append(section)
            left -= size
        return '\n\n'.join([*kept, graph, '']) + '\n'

    def _table(self) -> str:
        ended = sorted(self._ended.values(), key=lambda one: one.outcome.state is not ProcState.FAILED)
        rows = ['| proc | | time | |', '|---|---|---|---|']
        for one in ended[:MOST_ROWS]:
            word = WORDS[one.outcome.state]
            if one.outcome.error in HELD_BACK:
                word = '⏸️ not run'
            elif one.outcome.error is ErrorKind.INTERRUPTED:
                word = '⏹️ interrupted'
            time = '' if one.seconds is None else format_duration(one.seconds)
            rows.append(f'| {_name(one.name)} | {word} | {time} | {_cell(one.outcome.reason)} |')
        if len(ended) > MOST_ROWS:
            rows.append(f'| and {len(ended) - MOST_ROWS} more | | | |')
        return '\n'.join(rows)

    def _failures(self, view: RunView) -> list[str]:
        sections = []
        for one in view.failures[:MOST_EXCERPTS]:
            lines = (
                []
                if one.seconds is None
                else list(failure_lines(self._log_path(one.name), colour=False, ignored=self._ignored(one.name, False)))
            )
            text = '\n'.join(lines)
            longest = max((len(run) for run in re.findall('`+', text)), default=0)
            fence = '`' * max(3, longest + 1)
            reason = _cell(one.outcome.reason)
            sections.append(f'#### {_name(one.name)}: {reason}' + (f'\n\n{fence}text\n{text}\n{fence}' if text else ''))
        return sections

    def _graph(self) -> str:
        """Return the graph of dependencies as a Mermaid chart, where it is small enough to be drawn."""
        edges = [(dep, name) for name, deps in self._deps.items() for dep in deps if dep in self._deps]
        if not edges or len(self._deps) > MOST_NODES or len(edges) > MOST_EDGES:
            return ''
        places = {name: f'n{place}' for place, name in enumerate(self._deps)}
        lines = ['#### Graph', '', '```mermaid', 'flowchart LR']
        lines += [f'    {place}["{_entity(name)}"]' for name, place in places.items()]
        lines += [f'    {places[dep]} --> {places[name]}' for dep, name in edges]
        failed = [places[name] for name, one in self._ended.items() if one.outcome.state is ProcState.FAILED]
        if failed:
            lines += ['    classDef failed stroke:#d1242f,stroke-width:3px', f'    class {",".join(failed)} failed']
        return '\n'.join([*lines, '```'])


def _cell(text: str) -> str:
    """Return text as a cell of a table, of which nothing is read as Markdown or HTML."""
    escaped = html.escape(plain_text(text)[:500])
    return re.sub(r'[|`*_\[\]~@\\#]', lambda found: f'&#{ord(found[0])};', escaped)


def _name(name: str) -> str:
    return f'<code>{_cell(name)}</code>'


def _entity(name: str) -> str:
    return ''.join(char if char.isalnum() or char in ' ._-:/' else f'#{ord(char)};' for char in plain_text(name)[:100])
