"""For tests of task files: load one, ask what it plans, and run a proc's function with whatever it is to find.

Nothing is scheduled and no process is started: a function runs in the test's own process, where a debugger, a coverage
report and pytest's fixtures see it, and what it depends on is whatever the test gives as results.

>>> from parproc import testing
>>> tasks = testing.load('tasks.py')
>>> [proc.name for proc in testing.plan('deploy::prod', session=tasks)]
['build::prod', 'deploy::prod']
>>> run = testing.run_proc('deploy::prod', session=tasks, results={'build::prod': 'app.zip'}, params={'VERSION': '2'})
>>> run.result, run.context.logged
('app.zip', ['deploying version 2'])

A decorated function is still the function that was written: one that needs nothing of its declaration can be called as
it is, with a :class:`FakeContext`.
"""

from __future__ import annotations

from parproc.testing.fake_context import FakeContext, Progress
from parproc.testing.loading import LoadedSession, load
from parproc.testing.planning import PlannedProc, plan
from parproc.testing.running import ProcRun, commands, run_proc

__all__ = ['FakeContext', 'LoadedSession', 'PlannedProc', 'ProcRun', 'Progress', 'commands', 'load', 'plan', 'run_proc']
