"""The fast start: what it says is what the slow one would, and it loads next to nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.completion.conftest import Ask, CompletionProject
from tests.conftest import Project

ROOT = Path(__file__).parent.parent.parent
TABLE = (
    *('parproc.cli.option_table', 'parproc.cli.option_kinds'),
    *('parproc.declare', 'parproc.declare.option_choices'),
)
PRINT = 'import sys, os, atexit; atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))'


def loaded(arguments: Sequence[str], folder: Path, **environment: str) -> tuple[str, set[str]]:
    """Modules that are loaded when the program ends, without those that the interpreter itself brings."""
    program = f'{PRINT}; sys.argv[1:] = {arguments!r}; from parproc.__main__ import main; main()'
    kept = {'PYTHONPATH': str(ROOT), 'PATH': '/usr/bin:/bin', 'HOME': str(folder)}
    run = [sys.executable, '-S', '-c', program]
    done = subprocess.run(
        run, cwd=folder, env={**kept, **environment}, capture_output=True, text=True, check=False, timeout=30
    )
    bare = subprocess.run([sys.executable, '-S', '-c', PRINT], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout, set(done.stderr.split('\n')[-2].split()) - set(bare.stderr.split())


@pytest.mark.parametrize('arguments', [['--version'], ['--help'], ['-h'], ['--completion', 'bash']])
def test_a_quick_answer_loads_next_to_nothing(tasks: CompletionProject, arguments: list[str]) -> None:
    out, modules = loaded(arguments, tasks.folder)
    assert out
    assert modules <= {
        '__future__',
        'parproc',
        'parproc.__main__',
        'parproc.cli',
        'parproc.cli.help_text',
        'parproc.cli.output',
        'parproc.cli.completion_scripts',
        *TABLE,
    }, modules
    assert not tasks.mark.exists()


def test_completion_loads_next_to_nothing(ask: Ask, tasks: CompletionProject) -> None:
    ask.load()
    cache = str(tasks.cache.parent)
    out, modules = loaded(
        [], tasks.folder, _PARPROC_COMPLETE='bash_complete', COMP_WORDS='parproc l', XDG_CACHE_HOME=cache
    )
    assert 'plain,lint' in out
    own = {
        'parproc.cli.completion',
        'parproc.cli.output',
        'parproc.cli.shell_words',
        'binascii',
        *TABLE,
    }
    own |= {'parproc.project.find', 'parproc.project.files', 'parproc.project.index'}
    assert modules <= own | {'__future__', 'parproc', 'parproc.project', 'parproc.__main__', 'parproc.cli'}, modules


def test_a_plain_run_loads_no_rich_and_no_database(tmp_path: Path) -> None:
    (tmp_path / 'tasks.py').write_text('import sys\nimport parproc as pp\n@pp.Proc\ndef a(c): print(*sys.modules)\n')
    done = subprocess.run(
        [sys.executable, '-m', 'parproc', '-o', 'plain', 'a'],
        cwd=tmp_path,
        env={'PYTHONPATH': str(ROOT), 'HOME': str(tmp_path), 'PATH': '/usr/bin:/bin'},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert '✓ a' in done.stderr
    (log,) = tmp_path.glob('.parproc/runs/*/logs/a.log')
    modules = set(log.read_text().split())
    assert 'parproc.engine.loop' in modules
    assert not modules & {'rich', 'asyncio', 'multiprocessing', 'xml.etree', 'tomli'}


def test_a_list_of_toml_is_remembered_until_anything_of_it_changes(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
    project.write('parproc.toml', 'include = ["web/parproc.toml"]\n[proc.one]\ndoc = "First."\nrun = "x"\n')
    inner = project.write('web/parproc.toml', '[proto."two::[x]"]\nrun = "x {x}"\narg_choices.x = ["a"]\n')
    first = project.run('--list')
    assert first.out == 'one            First.\nweb::two::[x]  (x: a)\n'
    cache = {'XDG_CACHE_HOME': os.environ['XDG_CACHE_HOME']}
    out, modules = loaded(['-l'], project.folder, **cache)
    assert out == first.out and 'click' not in modules and 'tomli' not in modules
    inner.write_text('[proc.three]\nrun = "x"\n')
    assert project.run('--list').out == 'one         First.\nweb::three\n'
    inner.chmod(0o666)
    assert project.run('--list').code == 2
    inner.chmod(0o644)
    project.write('tasks.py', 'import parproc as pp\npp.Proc("four", lambda context: 1)\n')
    assert 'four' in project.run('--list').out
