"""A run as JUnit XML, as others read it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from junitparser import Failure, JUnitXml, Skipped

from parproc.core.events import TaskFinished
from parproc.core.model import SUCCESS, ErrorKind, Outcome, ProcState, failure
from parproc.core.view import RunEnded
from parproc.errors import UserError
from parproc.report.fanout import Reporters
from parproc.report.files.junit import JunitReporter
from tests.report.teller import FAILURE, ran, wanted


def told(folder: Path, *messages: Any) -> JUnitXml:
    path = folder / 'report.xml'
    reporters = Reporters([JunitReporter(str(path), lambda name: f'{folder}/{name}.log')])
    for message in messages:
        reporters.handle(message)
    return JUnitXml.fromfile(str(path))


def test_a_run_reads_as_this(tmp_path: Path) -> None:
    (tmp_path / 'build::x::prod.log').write_text('working\nmain.c:3:5: error: bad\n    3 | x\n')
    xml = told(
        tmp_path,
        *wanted('lint', 'build::x::prod', 'docs', 'ship', 'stopped'),
        *ran('lint', end=1.25),
        *ran('build::x::prod', FAILURE, end=2.0),
        *ran('docs', Outcome(ProcState.SKIPPED, reason='nothing new')),
        TaskFinished('cached', Outcome(ProcState.UP_TO_DATE), 0, None, 2.0),
        TaskFinished('ship', failure(ErrorKind.DEPENDENCY_FAILED, 'dependency failed: build'), 0, None, 2.0),
        TaskFinished('late', failure(ErrorKind.NOT_RUN, 'not run: SIGINT'), 0, None, 2.0),
        *ran('stopped', failure(ErrorKind.INTERRUPTED, 'interrupted'), end=3.0),
        RunEnded(1, 3.5),
    )
    (suite,) = xml
    assert (suite.name, suite.tests, suite.failures, suite.errors, suite.skipped, suite.time) == (
        'parproc',
        7,
        2,
        0,
        4,
        3.5,
    )
    cases = {f'{case.classname} {case.name}': case for case in suite}
    results = {
        name: [(type(result), result.type, result.message, result.text) for result in case.result]
        for name, case in cases.items()
    }
    assert results == {
        'parproc lint': [],
        'build::x prod': [(Failure, 'exit', 'exit 2', 'main.c:3:5: error: bad\n    3 | x')],
        'parproc docs': [(Skipped, None, 'nothing new', None)],
        'parproc cached': [(Skipped, None, 'up to date', None)],
        'parproc ship': [(Skipped, None, 'not run: dependency failed: build', None)],
        'parproc late': [(Skipped, None, 'not run: SIGINT', None)],
        'parproc stopped': [(Failure, 'interrupted', 'interrupted', None)],
    }
    assert cases['parproc lint'].time == 1.25
    assert cases['parproc ship'].time == 0.0


def test_what_xml_cannot_hold_is_left_out(tmp_path: Path) -> None:
    (tmp_path / 'a.log').write_bytes(b'<x> ]]> \x00\xff \x1b[31mred\x1b[0m \xef\xbf\xbe & \xf0\x9f\x98\x80\n')
    reason = '<b> "q" \x0b\ud800\uffff é'
    xml = told(
        tmp_path,
        *wanted('a'),
        *ran('a', failure(ErrorKind.EXCEPTION, reason)),
        *ran('b<\x01&', Outcome(SUCCESS.state, leaked=('sleep \x00 9',))),
        RunEnded(1, 1.0),
    )
    (suite,) = xml
    first, second = suite
    assert first.result[0].message == '<b> "q"  é'
    assert first.result[0].text == '<x> ]]> \\x00\\xff red  & \U0001f600'
    assert second.name == 'b<&'
    assert second.system_err == 'left behind and ended: sleep  9\n'


def test_a_run_of_nothing_is_a_file_too(tmp_path: Path) -> None:
    (suite,) = told(tmp_path, RunEnded(0, 9.0))
    assert (suite.tests, suite.time) == (0, 0.0)


def test_a_file_there_before_is_replaced_in_one_piece(tmp_path: Path) -> None:
    path = tmp_path / 'report.xml'
    path.write_text('old')
    reporters = Reporters([JunitReporter(str(path), str)])
    reporters.handle(TaskFinished('a', SUCCESS, 1, 0.0, 1.0))
    assert path.read_text() == 'old'
    with path.open() as reader:
        reporters.handle(RunEnded(0, 1.0))
        assert reader.read() == 'old'
    assert path.read_text().startswith('<?xml')
    assert os.listdir(tmp_path) == ['report.xml']


def test_a_missing_folder_is_made_and_links_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'link.xml').symlink_to(tmp_path / 'made' / 'report.xml')
    Reporters([JunitReporter(str(tmp_path / 'link.xml'), str)]).handle(RunEnded(0, 1.0))
    assert (tmp_path / 'made' / 'report.xml').read_text().startswith('<?xml')
    assert (tmp_path / 'link.xml').is_symlink()


@pytest.mark.parametrize('path', ['.', 'file/report.xml', 'x' * 300])
def test_what_cannot_be_written_is_found_out_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match=r'^the JUnit report cannot be written to "'):
        JunitReporter(path, str)
    assert os.listdir(tmp_path) == ['file']


@pytest.mark.parametrize('path', ['one/two/report.xml', '../made/report.xml', 'here/../../made/report.xml'])
def test_no_more_than_one_folder_is_made_and_none_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    (tmp_path / 'here').mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    for one in (path, os.path.join(os.getcwd(), path)):
        with pytest.raises(UserError, match=r'^the JUnit report cannot be written to "') as caught:
            JunitReporter(one, str)
        assert 'mkdir -p' in str(caught.value.hint)
    assert os.listdir(tmp_path) == ['here'] and not os.listdir(tmp_path / 'here')


def test_a_pipe_that_nobody_reads_is_waited_for_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('parproc.report.files.report_file.PATIENCE_SECONDS', 0.1)
    os.mkfifo(tmp_path / 'pipe')
    Reporters([JunitReporter(str(tmp_path / 'pipe'), str)]).handle(RunEnded(0, 1.0))
    assert capsys.readouterr().err.count(f'the JUnit report cannot be written to "{tmp_path}/pipe"') == 1
    reader = os.open(tmp_path / 'pipe', os.O_RDONLY | os.O_NONBLOCK)
    reporters = Reporters([JunitReporter(str(tmp_path / 'pipe'), str)])
    for message in ran('a', failure(ErrorKind.EXIT, 'x' * 1_000_000)):
        reporters.handle(message)
    reporters.handle(RunEnded(0, 1.0))
    os.close(reader)
    assert 'nobody reads it' in capsys.readouterr().err


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    read, write = os.pipe()
    reporters = Reporters([JunitReporter(f'/dev/fd/{write}', str)])
    reporters.handle(RunEnded(0, 1.0))
    os.close(write)
    with open(read) as file:
        assert file.read().startswith('<?xml')
