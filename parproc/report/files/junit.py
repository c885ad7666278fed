"""A run as JUnit XML: one suite, one case for each proc."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from parproc.core.events import TaskFinished
from parproc.core.model import ErrorKind, ProcState
from parproc.core.view import HELD_BACK, EndedTask, RunBegan, RunEnded, RunView
from parproc.report.files.report_file import ReportFile
from parproc.report.logs.read_log import Ignored, failure_lines, none_ignored
from parproc.report.reporter import Reporter

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SUITE = 'parproc'
_ILLEGAL = re.compile('[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]')


class JunitReporter(Reporter):
    """Writes the file when the run ends, however it does.

    Args:
        path: the file.
        log_path: proc name -> its log.
        separator: what stands between the segments of proc names: the last one names a case, the others its class.
        ignored: a proc's name, and whether it succeeded -> what is found in lines of its log that are not shown.

    Raises:
        UserError: when the file cannot be written.
    """

    def __init__(
        self,
        path: str,
        log_path: Callable[[str], str],
        *,
        separator: str = '::',
        ignored: Ignored = none_ignored,
    ) -> None:
        self._file = ReportFile(path, 'JUnit report')
        self._log_path = log_path
        self._separator = separator
        self._ignored = ignored
        self._ended: dict[str, EndedTask] = {}

    def on_task_finished(self, message: TaskFinished, view: RunView) -> None:
        """Note how a proc ended."""
        if view.latest is not None:
            self._ended[message.name] = view.latest

    def on_run_ended(self, message: RunEnded, view: RunView) -> None:
        """Write the file.

        Raises:
            UserError: when the file cannot be written any more.
        """
        self._file.write(self._document(view.began, message))

    def _document(self, began: RunBegan | None, end: RunEnded) -> bytes:
        from xml.etree.ElementTree import Element, SubElement, indent, tostring

        suite = Element('testsuite', name=SUITE)
        for ended in self._ended.values():
            *prefix, name = ended.name.split(self._separator)
            classname = self._separator.join(prefix) or SUITE
            seconds = _seconds(ended.seconds or 0.0)
            case = SubElement(suite, 'testcase', name=_legal(name), classname=_legal(classname), time=seconds)
            self._judge(case, ended)
        took = _seconds(end.time - (end.time if began is None else began.time))
        totals = {
            'tests': str(len(self._ended)),
            'failures': str(len(suite.findall('testcase/failure'))),
            'errors': '0',
            'skipped': str(len(suite.findall('testcase/skipped'))),
            'time': took,
        }
        suite.attrib.update(totals)
        root = Element('testsuites', totals)
        root.append(suite)
        indent(root)
        document: bytes = tostring(root, 'utf-8', xml_declaration=True)
        return document + b'\n'

    def _judge(self, case: Element, ended: EndedTask) -> None:
        """Say in ``case`` what there is to say about a proc that did not simply succeed."""
        from xml.etree.ElementTree import SubElement

        outcome = ended.outcome
        reason = _legal(outcome.reason)
        if outcome.error in HELD_BACK:
            SubElement(case, 'skipped', message=f'not run: {reason.removeprefix("not run: ")}')
        elif outcome.state in {ProcState.SKIPPED, ProcState.UP_TO_DATE}:
            SubElement(case, 'skipped', message=reason or outcome.state.value)
        elif outcome.state is ProcState.FAILED:
            kind = (outcome.error or ErrorKind.FAILED).value
            failure = SubElement(case, 'failure', type=kind, message=reason)
            if ended.seconds is not None:
                failure.text = _legal(
                    '\n'.join(
                        failure_lines(
                            self._log_path(ended.name), colour=False, ignored=self._ignored(ended.name, False)
                        )
                    )
                )
        if outcome.leaked:
            leaks = ''.join(f'left behind and ended: {leak}\n' for leak in outcome.leaked)
            SubElement(case, 'system-err').text = _legal(leaks)


def _seconds(seconds: float) -> str:
    return f'{seconds:.3f}'


def _legal(text: str) -> str:
    """Return ``text`` without what XML cannot hold."""
    return _ILLEGAL.sub('', text)
