"""No file of a project is used that another user could have written, exchanged, or put other modules beside."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from parproc.errors import UserError
from parproc.project.trust import read_trusted
from tests.conftest import Project

NOBODY = 65534
MARK = "import pathlib; pathlib.Path({!r}).touch()\nimport parproc as pp\npp.Proc('one', lambda c: 1)\n"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason='only root can give files away')


@dataclass
class GuardedProject(Project):
    """A project in a folder below a folder, whose task file leaves a mark when it is run."""

    mark: Path
    inner: Path
    file: Path

    def refused(self, *arguments: str, **environment: str) -> str:
        """Run, which has to be refused; return what was said."""
        ran = self.run(*(arguments or ('-l',)), cwd=self.inner, **environment)
        assert ran.code == 2, ran
        assert 'Traceback' not in ran.err and 'parproc: error: ' in ran.err
        assert not self.mark.exists() and not ran.out
        return ran.err


@pytest.fixture
def good(project: Project) -> GuardedProject:
    """A project that is fine."""
    mark = project.folder / 'mark'
    file = project.write('above/inner/tasks.py', MARK.format(str(mark)))
    project.write('above/inner/sub/empty', '')
    return GuardedProject(project.folder, mark, project.folder / 'above' / 'inner', file)


def test_what_is_the_users_own_is_used(good: GuardedProject) -> None:
    ran = good.run('-l', cwd=good.inner)
    assert (ran.code, ran.out) == (0, 'one\n') and good.mark.exists()


def test_a_folder_that_everybody_can_write_is_not_trusted(good: GuardedProject) -> None:
    good.inner.chmod(0o777)
    said = good.refused()
    assert f'chmod o-w {good.inner}' in said and f'PARPROC_TRUST={good.inner}' in said
    good.inner.chmod(0o1777)
    assert 'everybody can put files into' in good.refused()


@as_root
def test_a_folder_of_another_user_is_not_trusted(good: GuardedProject) -> None:
    os.chown(good.inner, NOBODY, NOBODY)
    assert f'belongs to another user (id {NOBODY})' in good.refused()


def test_every_folder_above_counts(good: GuardedProject) -> None:
    good.inner.parent.chmod(0o777)
    assert 'above can be written by everybody' in good.refused()


@as_root
def test_the_owner_of_every_folder_above_counts(good: GuardedProject) -> None:
    os.chown(good.inner.parent, NOBODY, NOBODY)
    assert f'above belongs to another user (id {NOBODY})' in good.refused()


def test_a_folder_of_ones_own_in_a_sticky_one_is_trusted(good: GuardedProject) -> None:
    good.inner.parent.chmod(0o1777)
    assert good.run('-l', cwd=good.inner).code == 0


@as_root
def test_a_link_to_a_trusted_folder_is_not_trusted_where_it_is_another_users(good: GuardedProject) -> None:
    sticky = good.folder / 'sticky'
    sticky.mkdir()
    sticky.chmod(0o1777)
    (sticky / 'link').symlink_to(good.inner)
    assert good.run('-l', '-C', 'sticky/link').code == 0
    good.mark.unlink()
    os.chown(sticky / 'link', NOBODY, NOBODY, follow_symlinks=False)
    assert 'another user' in good.refused('-l', '-C', str(sticky / 'link'))


def test_a_group_may_write_as_ever(good: GuardedProject) -> None:
    good.file.chmod(0o664)
    good.inner.chmod(0o775)
    assert good.run('-l', cwd=good.inner).code == 0


@as_root
def test_a_link_is_followed_to_the_file_and_its_folders(good: GuardedProject) -> None:
    elsewhere = good.folder / 'elsewhere'
    elsewhere.mkdir()
    target = good.file.rename(elsewhere / 'tasks.py')
    good.file.symlink_to('../../elsewhere/tasks.py')
    assert good.run('-l', cwd=good.inner).code == 0
    good.mark.unlink()
    elsewhere.chmod(0o777)
    assert 'elsewhere can be written by everybody' in good.refused()
    elsewhere.chmod(0o755)
    os.chown(target, NOBODY, NOBODY)
    assert 'belongs to another user' in good.refused()


def test_a_good_file_that_is_linked_from_a_bad_folder_is_not_used(good: GuardedProject) -> None:
    good.inner.chmod(0o1777)
    target = good.file.rename(good.folder / 'real.py')
    good.file.symlink_to(target)
    assert 'everybody can put files into' in good.refused()


def test_a_link_in_between_counts(good: GuardedProject) -> None:
    target = good.file.rename(good.folder / 'real.py')
    between = good.folder / 'between'
    between.mkdir()
    (between / 'link.py').symlink_to(target)
    good.file.symlink_to(between / 'link.py')
    assert good.run('-l', cwd=good.inner).code == 0
    good.mark.unlink()
    between.chmod(0o777)
    assert 'between can be written by everybody' in good.refused()


@pytest.mark.parametrize(
    'name', ['tasks.py', 'parproc.toml', 'pyproject.toml', '.env', 'more/parproc.toml', 'more/x.py']
)
def test_every_kind_of_file_is_looked_at(good: GuardedProject, name: str) -> None:
    good.file.unlink()
    texts = {
        'parproc.toml': 'dotenv = [".env"]\ninclude = ["more/parproc.toml", "more/x.py"]\n[proc.a]\nrun = "true"\n',
        'more/parproc.toml': '[proc.b]\nrun = "true"\n',
        'more/x.py': MARK.format(str(good.mark)),
        '.env': 'A=1\n',
    }
    if name == 'tasks.py':
        texts = {'tasks.py': MARK.format(str(good.mark))}
    elif name == 'pyproject.toml':
        texts = {'pyproject.toml': '[tool.parproc.proc.a]\nrun = "true"\n'}
    for file, text in texts.items():
        good.write(f'above/inner/{file}', text)
    assert good.run('-l', cwd=good.inner).code == 0
    good.mark.unlink(missing_ok=True)
    (good.inner / name).chmod(0o666)
    said = good.refused()
    assert f'{name} is not used: it can be written by everybody' in said and 'chmod o-w it' in said


def test_a_list_that_was_remembered_is_not_shown_where_a_folder_is_not_trusted_any_more(good: GuardedProject) -> None:
    good.file.unlink()
    good.write('above/inner/parproc.toml', '[proc.a]\nrun = "true"\n')
    for _ in range(2):
        assert good.run('-l', cwd=good.inner).out == 'a\n'
    good.inner.chmod(0o777)
    good.refused()


def test_a_folder_can_be_trusted_and_what_is_above_it_counts_no_more(good: GuardedProject) -> None:
    good.inner.chmod(0o777)
    good.inner.parent.chmod(0o777)
    good.file.chmod(0o666)
    for trusted in (good.inner, good.inner.parent, f'/nowhere:{good.folder}'):
        assert good.run('-l', cwd=good.inner, PARPROC_TRUST=str(trusted)).code == 0
    good.mark.unlink()
    good.refused('-l', PARPROC_TRUST=f'{good.inner}x')
    good.refused('-l', PARPROC_TRUST=str(good.inner / 'sub'))


def test_a_trusted_folder_does_not_make_what_it_links_to_trusted(good: GuardedProject) -> None:
    bad = good.folder / 'bad'
    bad.mkdir()
    bad.chmod(0o777)
    good.file.symlink_to(good.file.rename(bad / 'tasks.py'))
    good.refused('-l', PARPROC_TRUST=str(good.inner))
    assert good.run('-l', cwd=good.inner, PARPROC_TRUST=f'{good.inner}:{bad}').code == 0


def test_what_is_looked_at_is_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is exchanged between the opening and the looking, as one who can write its folder might."""
    path = tmp_path / 'tasks.py'
    path.write_text('bad')
    (tmp_path / 'good').write_text('good')
    opened = os.open

    def open_and_exchange(name: str, *more: Any, **keywords: Any) -> int:
        descriptor = opened(name, *more, **keywords)
        if name == str(path):
            os.replace(tmp_path / 'good', path)
        return descriptor

    monkeypatch.setattr(os, 'open', open_and_exchange)
    with pytest.raises(UserError, match='exchanged'):
        read_trusted(str(path))
    monkeypatch.undo()
    assert read_trusted(str(path)) == b'good'


def test_a_ring_of_links_is_an_error(good: GuardedProject) -> None:
    good.file.unlink()
    good.file.symlink_to('tasks.py')
    assert 'not a regular file' in good.refused('-f', str(good.file)) or 'not found' in good.refused('-f', 'tasks.py')


def test_rights_are_those_of_the_running_user(good: GuardedProject) -> None:
    """Another user than root does not trust what is neither root's nor the own."""
    if os.geteuid() != 0:
        pytest.skip('only root can become another user')
    os.chown(good.inner, NOBODY, NOBODY)
    os.chown(good.file, NOBODY, NOBODY)
    script = textwrap.dedent("""
        import os, sys
        from parproc.errors import UserError
        from parproc.project.trust import _Check
        def look(uid, path):
            os.geteuid = lambda: uid
            try:
                _Check(path).look(os.stat(path))
            except UserError as error:
                return 'refused'
            return 'used'
        print(*(look(uid, sys.argv[1]) for uid in (0, 65534, 1234)))
    """)
    path = good.write('look.py', script)
    done = subprocess.run(
        [sys.executable, str(path), str(good.file)],
        env=good.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == 'refused used refused\n', done.stderr
    assert stat.S_IMODE(good.file.stat().st_mode) & 0o002 == 0


@pytest.mark.parametrize('bad', ['lib', 'lib/part.py', 'helper.py', 'lib/__pycache__', 'lib/deep', 'lib/deep/part.py'])
def test_what_a_task_file_imports_from_the_project_is_looked_at_as_well(good: GuardedProject, bad: str) -> None:
    good.write('above/inner/helper.py', 'VALUE = 1\n')
    good.write('above/inner/lib/part.py', 'VALUE = 1\n')
    good.write('above/inner/lib/deep/__init__.py', '')
    good.write('above/inner/lib/deep/part.py', 'VALUE = 1\n')
    good.write(
        'above/inner/tasks.py',
        """
        import parproc as pp
        import helper, lib.part, lib.deep.part
        pp.Proc('one', lambda c: 1)
        """,
    )
    assert good.run('-l', cwd=good.inner, PYTHONDONTWRITEBYTECODE='').code == 0
    path = good.inner / bad
    path.chmod(0o777 if path.is_dir() else 0o666)
    said = good.refused()
    assert 'is not used' in said and 'tasks.py:3' in said and 'PARPROC_TRUST' in said
    assert good.run('-l', cwd=good.inner, PARPROC_TRUST=str(good.inner)).code == 0


def test_a_trusted_folder_may_be_named_from_where_the_user_is(good: GuardedProject) -> None:
    good.inner.chmod(0o777)
    assert good.run('-l', cwd=good.inner, PARPROC_TRUST='..').code == 0
    good.mark.unlink()
    ran = good.run('-l', cwd=good.inner / 'sub', PARPROC_TRUST='.')
    assert ran.code == 2 and not good.mark.exists()


def test_a_package_that_a_link_in_the_project_leads_to_is_looked_at_as_well(good: GuardedProject) -> None:
    good.write('elsewhere/deep/part.py', 'VALUE = 1\n')
    (good.inner / 'linked').symlink_to('../../elsewhere')
    good.write('above/inner/tasks.py', "import linked.deep.part\nimport parproc as pp\npp.Proc('one', lambda c: 1)\n")
    assert good.run('-l', cwd=good.inner).code == 0
    for path in (good.folder / 'elsewhere', good.folder / 'elsewhere' / 'deep' / 'part.py'):
        before = path.stat().st_mode
        path.chmod(0o777)
        assert 'is not used' in good.refused()
        path.chmod(before)
