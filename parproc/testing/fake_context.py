"""A context that needs no run: it answers with what a test gives, and records what a proc says and asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from parproc.api import default_session
from parproc.context import ProcContext
from parproc.core.closed import assert_never
from parproc.core.names import Pattern, is_glob, is_spelled_by
from parproc.errors import MissingError, UserError
from parproc.exec.child.outcomes import judge
from parproc.exec.messages import question, remark
from parproc.exec.protocol import (
    Answer,
    CreateAsked,
    InputAsked,
    Logged,
    Progressed,
    StartAsked,
    WaitAsked,
    Warned,
)
from parproc.session import Session, workspace_of
from parproc.values.encoding import EncodedResult
from parproc.values.results import Results

SEPARATOR = '::'


class Progress(NamedTuple):
    """What a proc said by ``context.progress``: the fraction done, from 0 to 1 or None, and what it was doing."""

    fraction: float | None
    message: str


class FakeContext(ProcContext):
    """A context that needs no run: it answers with what a test gives, and records what a proc says and asks.

    Args:
        proc_name: the name of the proc that it is for.
        params: the parameters of the run.
        args: the arguments of the proc.
        results: name -> value of procs that are over, found in :attr:`results` and by :meth:`wait`. An exception stands
            for a proc that failed with it, for which :meth:`wait` raises a ``ProcessError``.
        extra_args: what followed ``--`` on the command line.
        answers: what is typed at each :meth:`get_input`, in order.
        session: knows the names that are created, started and waited for; without one, any name is taken as it is, and
            a glob stands for the ``results`` that it matches.

    Attributes:
        logged: the texts of :meth:`log`.
        progressed: what :meth:`progress` was told.
        created: the names that :meth:`create` returned.
        started: the names that :meth:`start` returned.
        waited: the names that :meth:`wait` waited for.
        asked: the questions of :meth:`get_input`.

    Example:
        >>> def deploy(context, env):
        ...     context.log(f'deploying {context.results["build"]} to {env}')
        ...     return context.get_input('Sure?') == 'yes'
        >>> context = FakeContext(results={'build': 'app.zip'}, answers=['yes'])
        >>> deploy(context, 'prod')
        deploying app.zip to prod
        True
        >>> context.logged, context.asked
        (['deploying app.zip to prod'], ['Sure?'])
    """

    def __init__(
        self,
        proc_name: str = 'proc',
        *,
        params: Mapping[str, Any] | None = None,
        args: Mapping[str, Any] | None = None,
        results: Mapping[str, Any] | None = None,
        extra_args: Sequence[str] = (),
        answers: Iterable[str] = (),
        session: Session | None = None,
    ) -> None:
        channel = _RecordingChannel(proc_name, session, params or {}, results or {}, answers)
        self.logged = channel.logged
        self.progressed = channel.progressed
        self.created = channel.created
        self.started = channel.started
        self.waited = channel.waited
        self.asked = channel.asked
        name_of = workspace_of(session or default_session()).catalog.name_of
        given = _GivenResults(proc_name, results or {})
        super().__init__(proc_name, params or {}, args or {}, given, extra_args, channel, name_of)


class _GivenResults(Results):
    """The results that a test gives, as a proc looks at them."""

    def __init__(self, proc_name: str, given: Mapping[str, Any]) -> None:
        super().__init__({})
        self._proc_name = proc_name
        self._given = {name: value for name, value in given.items() if not isinstance(value, BaseException)}

    def __getitem__(self, name: str) -> Any:
        if name not in self._given:
            raise _missing(self._proc_name, name)
        return self._given[name]

    def __contains__(self, name: object) -> bool:
        return name in self._given

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)

    def add(self, more: Mapping[str, EncodedResult]) -> None:
        """Do nothing: all that a test gives is there from the beginning."""


class _RecordingChannel:
    """The line of a proc to a run that there is not; see :class:`parproc.context.Channel`."""

    def __init__(
        self,
        proc_name: str,
        session: Session | None,
        params: Mapping[str, Any],
        results: Mapping[str, Any],
        answers: Iterable[str],
    ) -> None:
        self.logged: list[str] = []
        self.progressed: list[Progress] = []
        self.created: list[str] = []
        self.started: list[str] = []
        self.waited: list[str] = []
        self.asked: list[str] = []
        self._proc_name = proc_name
        self._catalog = None if session is None else workspace_of(session).catalog
        self._params = params
        self._results = results
        self._answers = iter(answers)

    def ask(self, verb: str, arguments: Mapping[str, object]) -> Answer:
        """Answer a question of the context by what the test gave."""
        asked = question(self._proc_name, verb, arguments)
        match asked:
            case CreateAsked():
                return {'names': self._create(asked.target, asked.proc_name, asked.args)}, {}
            case InputAsked():
                return {'text': self._answer(asked.message)}, {}
            case StartAsked():
                names = self._meant(asked.targets)
                self.started += names
                return {'names': names}, {}
            case WaitAsked():
                names = self._meant(asked.targets)
                self.waited += names
                return self._over(list(dict.fromkeys(names)))
            case _:
                return assert_never(asked)

    def tell(self, verb: str, arguments: Mapping[str, object]) -> None:
        """Record what the context says."""
        said = remark(self._proc_name, verb, arguments)
        match said:
            case Logged():
                self.logged.append(said.message)
            case Progressed():
                self.progressed.append(Progress(said.fraction, said.message))
            case Warned():
                pass  # of what a child meets around its function; here there is no child
            case _:
                assert_never(said)

    def _create(self, name: str, proc_name: str | None, args: Mapping[str, object]) -> list[str]:
        if self._catalog is not None:
            names = self._catalog.create(name, proc_name, args, self._params)
        else:
            pattern = Pattern(name, SEPARATOR)
            unfilled = pattern.unfilled(args)
            if unfilled:
                raise UserError(f'"{name}" needs a value for {", ".join(unfilled)}')
            names = [pattern.fill(args) if proc_name is None else proc_name]
        self.created += names
        return names

    def _answer(self, question: str) -> str:
        self.asked.append(question)
        for answer in self._answers:
            return answer
        raise UserError(f'nobody answers "{question}"', hint='give what is typed: answers=[...]')

    def _meant(self, targets: Sequence[str]) -> list[str]:
        """Return the names of what is to be started or waited for."""
        return [name for target in targets for name in self._named(target)]

    def _named(self, target: str) -> list[str]:
        if self._catalog is not None:
            return self._catalog.create(target, None, {}, self._params)
        if is_glob(target):
            return [name for name in self._results if is_spelled_by(name, target, SEPARATOR)]
        return [target]

    def _over(self, names: Sequence[str]) -> Answer:
        """Return the answer to a proc that waits for others, which ended as the test says."""
        failed = {}
        for name in names:
            if name not in self._results:
                raise _missing(self._proc_name, name)
            if isinstance(found := self._results[name], BaseException):
                failed[name] = judge(found, lambda _: None).reason
        return {'names': names, 'failed': failed}, dict.fromkeys(names, b'')


def _missing(asker: str, name: str) -> MissingError:
    return MissingError(f'"{asker}" has no result "{name}": the test gives none', hint=f'results={{{name!r}: ...}}')
