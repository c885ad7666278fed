"""Checking that what is newly scheduled can be joined to what was scheduled before."""

from __future__ import annotations

from collections.abc import Iterator

from parproc.core import plan as planning
from parproc.core.machine import Machine
from parproc.core.plan import Plan


def check_joined(
    machine: Machine, plan: Plan, injected: tuple[tuple[str, str], ...], repeated: tuple[str, ...]
) -> None:
    """Refuse edges from tasks scheduled earlier to new ones that close a ring or skip waves.

    Args:
        machine: knows what was scheduled earlier.
        plan: the new tasks.
        injected: (earlier task, new dependency) edges.
        repeated: earlier tasks that are to run once more.

    Raises:
        UserError: for a cycle, or a dependency in a higher wave.
    """
    tasks = machine.tasks
    specs = {spec.name: spec for spec in plan.order}
    again = frozenset(repeated)
    added: dict[str, list[str]] = {}
    for target, dep in injected:
        added.setdefault(target, []).append(dep)
        wave = specs[dep].wave if dep in specs else tasks[dep].spec.wave
        if wave > tasks[target].spec.wave:
            raise planning.wave_error(target, tasks[target].spec.wave, dep, wave)

    def onward(name: str) -> Iterator[str]:
        if name in specs:
            yield from specs[name].deps
        elif name in tasks and (name in again or not tasks[name].is_over):
            yield from tasks[name].deps
            yield from added.get(name, ())

    joints = [name for name in machine.missing if name in specs] + [dep for _, dep in injected]
    joints += [dep for name in again for dep in tasks[name].deps if dep in specs]
    for name in machine.missing:
        for task in machine.missing[name] if name in specs else ():
            if specs[name].wave > task.spec.wave:
                raise planning.wave_error(task.spec.name, task.spec.wave, name, specs[name].wave)
    for name in dict.fromkeys(joints):
        ring = planning.find_ring(name, onward)
        if ring is not None:
            raise planning.cycle_error(ring)
