"""Folders of runs: private, apart, bounded in number, and never in somebody else's hands."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from parproc.errors import UserError
from parproc.host.private_folders import make_again
from parproc.store import run_folder
from parproc.store.locked_folders import LOCK
from parproc.store.run_folder import KEPT_RUNS, RunFolder


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / 'tmp'
    folder.mkdir()
    monkeypatch.setenv('TMPDIR', str(folder))
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_nothing_is_made_before_it_is_needed(tmp_path: Path, temporary: Path) -> None:
    RunFolder(str(tmp_path / '.parproc')).close(failed=False)
    RunFolder(None).close(failed=False)
    assert names(tmp_path) == ['tmp']
    assert names(temporary) == []


def test_a_state_folder_is_private_and_ignored_by_git(tmp_path: Path) -> None:
    root = tmp_path / '.parproc'
    folder = RunFolder(str(root))
    path = Path(folder.log_path('build::prod'))
    assert path == root / 'runs' / folder.run_id / 'logs' / 'build.prod.log'
    assert Path(folder.logs) == path.parent
    assert path.parent.is_dir()
    assert (root / '.gitignore').read_text() == '*\n'
    for private in (root, root / 'runs', path.parent.parent, path.parent):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert folder.warning is None
    folder.close(failed=False)


def test_results_go_with_the_run_and_logs_stay(tmp_path: Path, temporary: Path) -> None:
    folder = RunFolder(str(tmp_path / '.parproc'))
    log, *results = map(Path, (folder.log_path('a'), *folder.result_paths('a')))
    log.write_text('log')
    for result in results:
        result.write_text('result')
    folder.close(failed=False)
    folder.close(failed=False)
    assert log.exists()
    assert [result.parent.exists() for result in results] == [False, False]
    assert names(temporary) == []


def test_large_results_are_kept_where_no_task_cleans_up(tmp_path: Path, temporary: Path) -> None:
    folder = RunFolder(str(tmp_path / '.parproc'))
    first, second = map(Path, folder.result_paths('a'))
    assert temporary in first.parents
    assert tmp_path / '.parproc' in second.parents
    assert stat.S_IMODE(first.parent.stat().st_mode) == 0o700
    folder.close(failed=True)
    assert names(temporary) == []


def test_no_place_for_results_elsewhere_is_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.EROFS, 'read-only')

    monkeypatch.setattr(RunFolder, '_made_in', refuse)
    folder = RunFolder(str(tmp_path / '.parproc'))
    (path,) = folder.result_paths('a')
    assert path.startswith(str(tmp_path / '.parproc'))
    folder.close(failed=False)


def test_forgetting_a_proc_removes_its_log_and_its_result_and_makes_nothing(tmp_path: Path, temporary: Path) -> None:
    folder = RunFolder(str(tmp_path / '.parproc'))
    folder.forget('a')
    assert names(tmp_path) == ['tmp']
    paths = [Path(path) for path in (folder.log_path('a'), *folder.result_paths('a'))]
    for path in paths:
        path.write_text('')
    folder.forget('a')
    assert [path.exists() for path in paths] == [False, False, False]
    folder.close(failed=False)


def test_what_a_killed_run_left_of_its_results_goes_with_the_next(tmp_path: Path, temporary: Path) -> None:
    going_on = RunFolder(str(tmp_path / '.parproc'))
    Path(going_on.result_paths('a')[0]).write_text('')
    left = temporary / 'parproc-results-20000101-000000-000000000000000'
    left.mkdir()
    (left / 'a').write_text('large')
    (left / LOCK).write_text('')
    folder = RunFolder(str(tmp_path / '.parproc'))
    folder.result_paths('a')
    folder.close(failed=False)
    assert not left.exists()
    assert Path(going_on.result_paths('a')[0]).exists()
    going_on.close(failed=False)
    assert names(temporary) == []


def fail_temporarily(temporary: Path) -> Path:
    """Let a run fail whose logs are in a temporary folder, and return that."""
    folder = RunFolder(None)
    path = Path(folder.logs).parent.parent
    assert path.parent == temporary
    folder.close(failed=True)
    return path


def test_of_failed_runs_the_latest_temporary_folders_are_kept(temporary: Path) -> None:
    going_on = RunFolder(None)
    log = Path(going_on.log_path('a'))
    made = [fail_temporarily(temporary) for _ in range(KEPT_RUNS + 3)]
    assert log.parent.exists()
    assert len(names(temporary)) == KEPT_RUNS + 1
    assert made[-1].exists()
    going_on.close(failed=True)
    assert log.parent.exists()
    fail_temporarily(temporary)
    assert len(names(temporary)) == KEPT_RUNS


def test_what_others_have_in_the_temporary_folder_counts_for_nothing_and_stays(temporary: Path) -> None:
    (temporary / 'elsewhere').mkdir()
    (temporary / 'elsewhere' / 'file').write_text('')
    planted = [temporary / f'parproc-20000101-00000{number}-000000000000000' for number in range(3)]
    planted[0].symlink_to(temporary / 'elsewhere')
    planted[1].write_text('')
    planted[2].mkdir()
    if os.geteuid() == 0:
        os.chown(planted[2], 12345, 12345)
    else:
        planted[2].rmdir()
    before = names(temporary)
    made = [fail_temporarily(temporary).name for _ in range(KEPT_RUNS)]
    assert names(temporary) == sorted([*before, *made])
    fail_temporarily(temporary)
    assert set(before) < set(names(temporary))
    assert len(names(temporary)) == len(before) + KEPT_RUNS
    assert (temporary / 'elsewhere' / 'file').exists()


def test_a_state_folder_that_was_removed_and_made_again_is_ignored_by_git(tmp_path: Path) -> None:
    root = tmp_path / '.parproc'
    folder = RunFolder(str(root))
    path = Path(folder.log_path('a'))
    shutil.rmtree(root)
    make_again(str(path.parent))
    for private in (root, root / 'runs', path.parent.parent, path.parent):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    folder.close(failed=False)
    assert (root / '.gitignore').read_text() == '*\n'


def test_a_state_folder_that_was_removed_or_exchanged_is_let_alone(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / '.parproc', tmp_path / 'elsewhere'
    for exchange in (False, True):
        folder = RunFolder(str(root))
        path = Path(folder.log_path('a'))
        root.rename(elsewhere)
        if exchange:
            root.symlink_to(elsewhere)
            (elsewhere / '.gitignore').unlink()
        folder.close(failed=False)
        assert (elsewhere / path.relative_to(root)).parent.exists()
        assert root.is_symlink() is exchange
        assert (elsewhere / '.gitignore').exists() is not exchange
        if not exchange:
            shutil.rmtree(elsewhere)


def test_an_endless_row_of_folders_in_an_old_run_is_no_error(tmp_path: Path) -> None:
    root = tmp_path / '.parproc'
    folder = RunFolder(str(root))
    folder.log_path('a')
    deep = root / 'runs' / '20000101-000000-0000000'
    deep.mkdir()
    here = os.open(deep, os.O_RDONLY)
    for _ in range(sys.getrecursionlimit() + 100):
        os.mkdir('a', dir_fd=here)
        here, outer = os.open('a', os.O_RDONLY, dir_fd=here), here
        os.close(outer)
    os.close(here)
    for number in range(KEPT_RUNS):
        (root / 'runs' / f'20000101-0000{number + 10}-0000000').mkdir()
    folder.close(failed=False)
    subprocess.run(['rm', '-rf', deep], check=True)


@pytest.mark.skipif(sys.platform != 'linux' or not shutil.which('chattr'), reason='needs chattr')
def test_the_folders_of_runs_lie_far_apart_on_the_disk(tmp_path: Path, temporary: Path) -> None:
    (tmp_path / 'probe').mkdir()
    if subprocess.run(['chattr', '+T', tmp_path / 'probe'], capture_output=True, check=False).returncode:
        pytest.skip('this file system cannot be told')
    lasting, passing = RunFolder(str(tmp_path / '.parproc')), RunFolder(None)
    for run in (lasting, passing):
        path = Path(run.logs).parent
        listed = subprocess.run(['lsattr', '-d', path.parent], capture_output=True, text=True, check=True).stdout
        assert path.name == run.run_id
        assert 'T' in listed.split()[0]
    lasting.close(failed=False)
    passing.close(failed=False)
    assert names(temporary) == []


def test_a_place_that_cannot_be_spread_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> bytes:
        raise OSError(errno.ENOTTY, 'not here')

    monkeypatch.setattr(fcntl, 'ioctl', refuse)
    for root in (None, str(tmp_path / '.parproc')):
        folder = RunFolder(root)
        assert Path(folder.logs).is_dir()
        assert folder.warning is None
        folder.close(failed=False)


@pytest.mark.parametrize('failed', [False, True])
def test_a_temporary_folder_stays_only_after_a_failure(failed: bool, temporary: Path) -> None:
    folder = RunFolder(None)
    Path(folder.log_path('a')).write_text('log')
    (path,) = temporary.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    folder.close(failed=failed)
    assert path.exists() is failed


def test_names_of_runs_sort_by_time_and_never_meet() -> None:
    made = [run_folder._new_id(1_700_000_000.0 + step / 100) for step in range(300)]
    assert made == sorted(made)
    assert len({run_folder._new_id(1_700_000_000.0) for _ in range(5)}) > 1


def test_the_latest_runs_are_kept_and_what_is_no_run_is_not_touched(tmp_path: Path) -> None:
    root = tmp_path / '.parproc'
    (root / 'runs' / 'mine').mkdir(parents=True)
    made = []
    for _ in range(KEPT_RUNS + 3):
        folder = RunFolder(str(root))
        folder.log_path('a')
        made.append(folder.run_id)
        folder.close(failed=True)
    kept = set(names(root / 'runs')) - {'mine'}
    assert (root / 'runs' / 'mine').exists()
    assert len(kept) == KEPT_RUNS
    assert made[-1] in kept


def test_a_run_that_is_going_on_is_never_removed(tmp_path: Path) -> None:
    root = tmp_path / '.parproc'
    going_on = RunFolder(str(root))
    going_on.run_id = '20000101-000000-0000000'
    log = Path(going_on.log_path('a'))
    abandoned = root / 'runs' / '20000101-000001-0000000'
    abandoned.mkdir()
    for _ in range(KEPT_RUNS + 1):
        folder = RunFolder(str(root))
        folder.log_path('a')
        folder.close(failed=False)
    assert log.parent.exists()
    assert not abandoned.exists()
    going_on.close(failed=False)
    folder = RunFolder(str(root))
    folder.log_path('a')
    folder.close(failed=False)
    assert not log.parent.exists()


@pytest.mark.parametrize('part', ['.parproc', '.parproc/runs'])
@pytest.mark.parametrize('plant', ['link', 'file', 'stranger'])
def test_a_planted_state_folder_is_not_used(part: str, plant: str, tmp_path: Path, temporary: Path) -> None:
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()
    path = tmp_path / part
    path.parent.mkdir(exist_ok=True)
    if plant == 'link':
        path.symlink_to(elsewhere)
    elif plant == 'file':
        path.write_text('')
    else:
        if os.geteuid() != 0:
            pytest.skip('needs root to give a folder away')
        path.mkdir()
        os.chown(path, 12345, 12345)
    folder = RunFolder(str(tmp_path / '.parproc'))
    assert folder.log_path('a').startswith(str(temporary))
    assert folder.warning is not None
    assert str(tmp_path / '.parproc') in folder.warning
    assert names(elsewhere) == []
    folder.close(failed=False)
    assert names(temporary) == []


def test_a_link_planted_as_gitignore_is_not_followed(tmp_path: Path) -> None:
    root = tmp_path / '.parproc'
    root.mkdir()
    (root / '.gitignore').symlink_to(tmp_path / 'victim')
    folder = RunFolder(str(root))
    assert folder.log_path('a').startswith(str(root))
    folder.close(failed=False)
    assert not (tmp_path / 'victim').exists()


def test_a_link_inside_an_old_run_is_removed_and_not_followed(tmp_path: Path) -> None:
    root = tmp_path / '.parproc'
    victim = tmp_path / 'victim'
    victim.mkdir()
    (victim / 'file').write_text('')
    old = root / 'runs' / '20000101-000000-0000000'
    old.mkdir(parents=True)
    (old / 'logs').symlink_to(victim)
    for _ in range(KEPT_RUNS):
        folder = RunFolder(str(root))
        folder.log_path('a')
        folder.close(failed=False)
    assert not old.exists()
    assert (victim / 'file').exists()


def test_no_place_at_all_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(30, 'read-only')

    monkeypatch.setattr(run_folder, '_make_folders', refuse)
    with pytest.raises(UserError, match='no place for logs'):
        RunFolder(None).log_path('a')


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir('/dev/fd'))
    folder = RunFolder(str(tmp_path / '.parproc'))
    folder.log_path('a')
    folder.close(failed=False)
    assert len(os.listdir('/dev/fd')) == before
