"""A small Python package: check it, test it, build it for an environment, publish it to a folder."""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import parproc as pp

SOURCE = Path('src')
BUILT = Path('out')
CHOICES = {'env': ['dev', 'prod']}
pp.set_params(VERSION='0.0.0')


@pp.Proc('lint')
def lint(context):
    """Compile every file with warnings as errors."""
    done = subprocess.run([sys.executable, '-W', 'error', '-m', 'compileall', '-q', '-f', str(SOURCE)])
    if done.returncode:
        raise pp.ProcFailedError('a file does not compile cleanly')


@pp.Proc('test')
def test(context):
    """Run the unit tests; what follows -- goes to unittest."""
    command = [sys.executable, '-m', 'unittest', 'discover', '-s', 'tests', *context.extra_args]
    subprocess.run(command, check=True, env={'PYTHONPATH': str(SOURCE)})


@pp.Proto('build::[env]', deps=['lint', 'test'], arg_choices=CHOICES)
def build(context, env: str):
    """Pack the package, with its version and environment inside."""
    BUILT.mkdir(exist_ok=True)
    archive = BUILT / f'greeter-{context.params["VERSION"]}-{env}.zip'
    with zipfile.ZipFile(archive, 'w') as packed:
        for path in sorted(SOURCE.rglob('*.py')):
            packed.write(path, path.relative_to(SOURCE))
        packed.writestr('greeter/build.json', json.dumps({'env': env, 'version': context.params['VERSION']}))
    return {'archive': str(archive), 'sha256': hashlib.sha256(archive.read_bytes()).hexdigest()}


@pp.Proto('publish::[env]', deps=['build::[env]', pp.NO_FAILURES], locks=['shelf'], arg_choices=CHOICES)
def publish(context, env: str):
    """Copy the archive to the shelf and note its checksum in the index."""
    built = context.results[f'build::{env}']
    shelf = Path('shelf')
    shelf.mkdir(exist_ok=True)
    shutil.copy(built['archive'], shelf)
    with open(shelf / 'index.txt', 'a') as index:
        index.write(f'{built["sha256"]}  {Path(built["archive"]).name}\n')
