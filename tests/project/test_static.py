"""What can be read from task files without running anything of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from parproc.project.index import Index
from parproc.project.static import read_statically
from parproc.project.static_python import declarations


def read(folder: Path, **texts: str) -> Index:
    """Read task files of these texts, in their order; ``tasks`` is in Python, others are TOML."""
    paths = []
    for name, text in texts.items():
        path = folder / (f'{name}.py' if name == 'tasks' else f'{name}.toml')
        path.write_text(text)
        paths.append(str(path))
    return read_statically(paths)


# --- TOML ------------------------------------------------------------------------------------------------------------


def test_toml_is_read_as_it_is(tmp_path: Path) -> None:
    index = read(
        tmp_path,
        parproc='[options]\nname_param_separator = "/"\n[params]\nV = "1"\n[proc.lint]\nrun = "x"\ndoc = "Look."\n'
        '[proto."build/[env]"]\nrun = "x"\narg_choices.env = ["dev", "prod"]\n',
    )
    assert (index.separator, index.params, index.procs) == ('/', ['V'], {'lint': 'Look.'})
    assert index.protos == {'build/[env]': ('', {'env': ['dev', 'prod']})}
    assert not index.fresh


def test_what_is_included_begins_with_its_folder_and_a_ring_ends(tmp_path: Path) -> None:
    (tmp_path / 'web').mkdir()
    (tmp_path / 'web' / 'parproc.toml').write_text('include = ["../parproc.toml"]\n[proc.page]\nrun = "x"\n')
    (tmp_path / 'more.py').write_text('import parproc as pp\n@pp.Proc\ndef more(context): ...\n')
    index = read(tmp_path, parproc='include = ["web/parproc.toml", "more.py", "none.toml", 3]\n[proc.a]\nrun = "x"\n')
    assert list(index.procs) == ['a', 'web::page', 'more']


def test_in_pyproject_only_its_own_table_counts(tmp_path: Path) -> None:
    index = read(tmp_path, pyproject='[proc.other]\nrun = "x"\n[tool.parproc.proc.mine]\nrun = "x"\n')
    assert list(index.procs) == ['mine']


@pytest.mark.parametrize(
    'text', ['[proc', 'proc = 3\nproto = []\n', '[proc]\na = 3\n', 'a = ' + '[' * 50_000, '\udcff']
)
def test_what_cannot_be_read_is_left_out(tmp_path: Path, text: str) -> None:
    (tmp_path / 'parproc.toml').write_bytes(text.encode('utf-8', 'surrogateescape'))
    (tmp_path / 'tasks.py').write_text('import parproc as pp\n@pp.Proc\ndef good(context): ...\n')
    index = read_statically([str(tmp_path / 'parproc.toml'), str(tmp_path / 'none'), str(tmp_path / 'tasks.py')])
    assert 'good' in index.procs


def test_names_and_choices_are_text_that_can_only_be_read(tmp_path: Path) -> None:
    index = read(
        tmp_path, parproc='[proc."a\\u001b"]\nrun = "x"\n[proto."p::[x]"]\nrun = "x"\narg_choices.x = ["a", "b\\n"]\n'
    )
    assert index.procs == {}
    assert index.protos == {'p::[x]': ('', {'x': ['a']})}


# --- Python ----------------------------------------------------------------------------------------------------------


def declared(text: str) -> dict[str, tuple[str, dict[str, list[str]] | None]]:
    found = declarations(f'import parproc as pp\nfrom parproc import Proc as P, Proto\n{text}'.encode(), Index())
    return {name: (doc, choices) for name, doc, choices in found}


@pytest.mark.parametrize(
    ('text', 'name'),
    [
        ('@pp.Proc\ndef a(context): ...', 'a'),
        ('@pp.Proc()\ndef a(context): ...', 'a'),
        ("@pp.Proc('b', deps=['c'])\ndef a(context): ...", 'b'),
        ("@pp.Proc(name='b')\nasync def a(context): ...", 'b'),
        ("@P('b')\ndef a(context): ...", 'b'),
        ("NAME = 'b'\n@P(NAME)\ndef a(context): ...", 'b'),
        ("def a(context): ...\npp.Proc('b', a)", 'b'),
        ("def a(context): ...\npp.Proc('b')(a)", 'b'),
        ('def a(context): ...\na = pp.Proc(a)', 'a'),
    ],
)
def test_each_way_to_declare_a_proc_is_known(text: str, name: str) -> None:
    assert declared(text) == {name: ('', None)}


@pytest.mark.parametrize(
    'text',
    [
        '@pp.Proc(f"x{1}")\ndef a(context): ...',
        '@other.Proc\ndef a(context): ...',
        'if True:\n    @pp.Proc\n    def a(context): ...',
        'for name in "ab":\n    pp.Proc(name, print)',
        'pp.start("a")',
        'print("x", 1)',
    ],
)
def test_what_only_running_it_would_tell_is_left_out(text: str) -> None:
    assert declared(text) == {}


def test_a_description_is_the_docs_or_the_first_paragraph() -> None:
    text = '@pp.Proc\ndef a(context):\n    """Build\n    it.\n\n    More."""\n@pp.Proc(doc="Mine.")\ndef b(context):\n    """No."""'
    assert declared(text) == {'a': ('Build it.', None), 'b': ('Mine.', None)}


def test_a_protos_pattern_has_what_its_name_does_not_spell() -> None:
    text = (
        "ENVS = ['dev', 'prod']\n"
        "@Proto('build', arg_choices={'env': ENVS, 'n': range(3), 'm': (1, 2)}, args={'given': 1})\n"
        'def build(context, env, given, n=3, *, m): ...\n'
        "@Proto('test::[what]')\ndef test(context, what): ...\n"
    )
    assert declared(text) == {
        'build::[env]::[m]': ('', {'env': ['dev', 'prod'], 'm': ['1', '2']}),
        'test::[what]': ('', {}),
    }


def test_params_and_the_separator_are_noted() -> None:
    index = Index()
    text = b"import parproc\nparproc.set_params(V=1, W=2)\nparproc.set_params(V=3)\nparproc.set_options(name_param_separator='/')"
    assert list(declarations(text, index)) == []
    assert (index.params, index.separator) == (['V', 'W'], '/')


@pytest.mark.parametrize('source', [b'def', b'x\0y', b'# coding: nope\n'])
def test_what_is_no_python_raises(source: bytes) -> None:
    with pytest.raises((SyntaxError, ValueError)):
        list(declarations(source, Index()))
