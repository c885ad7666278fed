"""Every example does its real work, run as its reader would run it."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / 'examples'


@pytest.fixture
def example(project):
    def copy(name):
        shutil.copytree(EXAMPLES / name, project.folder, dirs_exist_ok=True)
        return project

    return copy


def test_python_package(example):
    project = example('python_package')
    ran = project.run('publish::*', 'VERSION=1.4')
    assert ran.code == 0, ran.err
    names = sorted(path.name for path in (project.folder / 'shelf').iterdir())
    assert names == ['greeter-1.4-dev.zip', 'greeter-1.4-prod.zip', 'index.txt']
    with zipfile.ZipFile(project.folder / 'shelf' / 'greeter-1.4-prod.zip') as packed:
        assert json.loads(packed.read('greeter/build.json')) == {'env': 'prod', 'version': '1.4'}
        assert 'greeter/__init__.py' in packed.namelist()
    assert len((project.folder / 'shelf' / 'index.txt').read_text().splitlines()) == 2


def test_python_package_publishes_nothing_when_a_test_fails(example):
    project = example('python_package')
    project.write('src/greeter/__init__.py', 'def greet(name): return 1\n')
    ran = project.run('publish::prod')
    assert ran.code == 1
    assert "AssertionError: 1 != 'Hello, Ada!'" in ran.err
    assert not (project.folder / 'shelf').exists()


def test_fan_out(example):
    project = example('fan_out')
    ran = project.run()
    assert ran.code == 0, ran.err
    assert (project.folder / 'report.txt').read_text().splitlines()[:2] == ['the 12', 'river 4']


def test_migrations(example):
    project = example('migrations')
    ran = project.run('check', 'announce::users')
    assert ran.code == 0, ran.err
    assert (project.folder / 'data' / 'users.backup').exists()
    assert sorted((project.folder / 'data' / 'migrations.log').read_text().splitlines()) == [
        'orders: price',
        'users: price',
    ]
    again = project.run('migrate::*')
    assert again.code == 0
    assert 'migrated already' in again.err
    assert 'announce' not in again.err


def test_script(example):
    project = example('script')
    ran = project.script((EXAMPLES / 'script' / 'primes.py').read_text())
    assert (ran.code, ran.out) == (0, 'started at once\n303 primes below 2000\n'), ran.err
