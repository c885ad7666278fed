"""What stands in the log of a proc that failed by its author's mistake: the author's code, and none of parproc's."""

from __future__ import annotations

import pytest

from tests.conftest import Project

TASKS = """
import parproc as pp
@pp.Proto('p::[x]', arg_choices={'x': ['a']})
def member(context, x): pass
def helper(context):
    context.create('nope::x')
@pp.Proc
def waits(context): context.wait('nope')
@pp.Proc
def creates(context): helper(context)
@pp.Proc
def chooses(context): context.run('p::zzz')
@pp.Proc
def advances(context): context.progress('x')
@pp.Proc
def configures(context): pp.set_options(nope=1)
@pp.Proc
def declares(context): pp.Proc('x')(lambda context: 1)
@pp.Proc
def asks(context): context.get_input('who?')
@pp.Proc
def looks(context): context.results['zz']
@pp.Proc
def hides(context):
    try:
        context.wait('nope')
    except pp.UserError:
        raise ValueError('mine')
@pp.Proc
def chains(context):
    try:
        context.wait('nope')
    except pp.UserError as error:
        raise ValueError('mine') from error
"""


@pytest.mark.parametrize('mode', ['mp', 'single'])
@pytest.mark.parametrize(
    'name', ['waits', 'creates', 'chooses', 'advances', 'configures', 'declares', 'asks', 'looks', 'hides', 'chains']
)
def test_an_error_made_inside_a_proc_shows_the_users_frames_only(project: Project, name: str, mode: str) -> None:
    project.write('tasks.py', TASKS)
    ran = project.run('--mode', mode, name)
    said = ran.out + ran.err
    assert ran.code == 1
    assert 'tasks.py", line' in said and f'in {name}' in said
    assert '/parproc/context.py' not in said and '/parproc/session.py' not in said and '/parproc/exec/' not in said
