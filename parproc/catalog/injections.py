"""Reverse dependencies as they are declared: which procs put themselves before which others."""

from __future__ import annotations

from collections.abc import Sequence

from parproc.catalog.bound_proc import BoundProc
from parproc.catalog.registry import Registry
from parproc.core.names import Pattern
from parproc.core.reverse_deps import InjectionRules, Rule
from parproc.declare.declaration import Declaration
from parproc.declare.dependency_kinds import WhenScheduled, target_of


class Injections:
    """The rules by which procs go before others, in step with what is declared.

    Args:
        registry: knows all names.

    Attributes:
        late: the names of what was declared with such rules after others had been scheduled.
    """

    def __init__(self, registry: Registry) -> None:
        self.late: set[str] = set()
        self._registry = registry
        self._rules = InjectionRules()
        self._targets: dict[int, Sequence[Pattern]] = {}
        self._unlinked: list[tuple[str | Pattern, Declaration]] = []
        self._was_asked = False

    def targets_of(self, declaration: Declaration) -> list[Pattern]:
        """Return what a declaration goes before whenever that is scheduled; none yet for one of an included file.

        Raises:
            UserError: for what is no pattern.
        """
        return [] if declaration.scope else self._rules_of(declaration)

    def add(self, declarer: str | Pattern, declaration: Declaration, targets: Sequence[Pattern]) -> None:
        """Let a proc go before others.

        Args:
            declarer: its name, or its proto's pattern.
            declaration: its own.
            targets: what :meth:`targets_of` gives for that.
        """
        self._add_rules(declarer, declaration, targets)
        if declaration.scope and declaration.rdeps:
            self._unlinked.append((declarer, declaration))
        if targets and self._was_asked:
            self.late.add(declaration.name)

    def remove(self, declarer: str | Pattern, declaration: Declaration) -> None:
        """Forget what was added."""
        for pattern in self._targets.pop(declaration.order, ()):
            self._rules.remove(pattern, Rule(declarer, declaration.order))
        self._unlinked = [entry for entry in self._unlinked if entry[1] is not declaration]
        self.late.discard(declaration.name)

    def link(self) -> None:
        """Let what included files declare go before what they name, which may have been declared after them."""
        for declarer, declaration in self._unlinked:
            self._add_rules(declarer, declaration, self._rules_of(declaration))
        self._unlinked = []

    def note_asked(self) -> None:
        """Note that something was scheduled: what is declared from now on is late for it."""
        self._was_asked = True

    def before(self, proc: BoundProc) -> list[str]:
        """Return the names of the procs that go before ``proc``, in the order of their declaration."""
        return self._rules.before(proc.name, lambda _: self._registry.texts_of(proc), self._registry.created_with)

    def _rules_of(self, declaration: Declaration) -> list[Pattern]:
        registry = self._registry
        texts = [target_of(rdep) for rdep in declaration.rdeps if not isinstance(rdep, WhenScheduled)]
        return [registry.pattern(registry.resolved(text, declaration), declaration.separator) for text in texts]

    def _add_rules(self, declarer: str | Pattern, declaration: Declaration, targets: Sequence[Pattern]) -> None:
        for pattern in targets:
            self._rules.add(pattern, Rule(declarer, declaration.order))
        if targets:
            self._targets[declaration.order] = targets
