"""What a proc function is given: who it is, what others returned, and a line to the run it is part of."""

from __future__ import annotations

import copy
from _thread import get_ident
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, SupportsIndex, TypeAlias

from parproc.core.names import as_text, is_glob
from parproc.core.plain_data import has_text, shown
from parproc.errors import DeadlockError, MissingError, ProcessError, UserError
from parproc.values.encoding import EncodedResult
from parproc.values.results import Results

LONGEST_REMARK_CHARACTERS = 4000
Name: TypeAlias = 'str | Callable[..., object]'
Names: TypeAlias = 'Name | Iterable[Names]'
_inside = False
_inside_threads: set[int] = set()


def inside_child() -> bool:
    """Return whether this process, or this thread of it, is running a proc, rather than the program that declared it."""
    return _inside or (bool(_inside_threads) and get_ident() in _inside_threads)


def enter_child() -> None:
    """Note that this process runs a proc from now on: the module-level functions refuse to work."""
    global _inside
    _inside = True


def enter_inline() -> None:
    """Note that this thread runs a proc, in the process that declared it; the others go on as the program's."""
    _inside_threads.add(get_ident())


def leave_inline() -> None:
    """Undo :func:`enter_inline`."""
    _inside_threads.discard(get_ident())


class Params(dict[str, Any]):
    """The parameters of a run, as one of its procs has them: a dict that knows what was read from it.

    Copies of it, also pickled ones, are plain dicts.

    Args:
        params: the parameters.
        proc_name: the proc that reads them.

    Attributes:
        read: the names that were looked for, there or not; None where all of it was looked at.
    """

    __slots__ = ('_proc_name', 'read')

    def __init__(self, params: Mapping[str, object], proc_name: str) -> None:
        super().__init__(params)
        self._proc_name = proc_name
        self.read: set[str] | None = set()

    def _look(self, name: object) -> None:
        if self.read is not None and type(name) is str:
            self.read.add(name)

    def __getitem__(self, name: str, /) -> Any:
        self._look(name)
        return super().__getitem__(name)

    def __missing__(self, name: str) -> Any:
        raise MissingError(
            f'no param {name}: parproc {self._proc_name} {name}=…', hint=f'in a program: set_params({name}=…)'
        )

    def __contains__(self, name: object, /) -> bool:
        self._look(name)
        return super().__contains__(name)

    def get(self, name: str, default: Any = None, /) -> Any:
        """Return a param, or ``default`` where there is none of that name."""
        self._look(name)
        return super().get(name, default)

    def pop(self, name: str, /, *default: Any) -> Any:
        """Take a param out of this dict, which no other proc sees."""
        self._look(name)
        return super().pop(name, *default) if default or super().__contains__(name) else self.__missing__(name)

    def setdefault(self, name: str, default: Any = None, /) -> Any:
        """Return a param, after setting it where there is none of that name."""
        self._look(name)
        return super().setdefault(name, default)

    def copy(self) -> dict[str, Any]:
        """Return a plain dict."""
        self.read = None
        return dict(super().items())

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (self.copy(),)

    def __copy__(self) -> dict[str, Any]:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return copy.deepcopy(self.copy(), memo)


def _of_all(name: str) -> Any:
    """Return a method of :class:`Params` that looks at everything."""
    method = getattr(dict, name)

    def look_at_all(self: Params, *arguments: Any) -> Any:
        self.read = None
        return method(self, *arguments)

    look_at_all.__name__ = name
    return look_at_all


for _name in (
    *('__iter__', '__len__', '__eq__', '__ne__', '__repr__', '__or__', '__ror__', '__reversed__'),
    *('keys', 'values', 'items', 'popitem'),
):
    setattr(Params, _name, _of_all(_name))


class Channel(Protocol):
    """A line from a running task to the engine."""

    def ask(
        self, verb: str, arguments: Mapping[str, object]
    ) -> tuple[Mapping[str, object], Mapping[str, EncodedResult]]:
        """Ask and block until there is an answer."""

    def tell(self, verb: str, arguments: Mapping[str, object]) -> None:
        """Say something that needs no answer."""


class ProcContext:
    """The first argument of every proc function.

    Args:
        proc_name: the name of this proc.
        params: the parameters of the run.
        args: the arguments of this proc, cast.
        results: name -> value of what had finished when this proc started; :meth:`wait` adds to it.
        extra_args: what followed ``--`` on the command line.
        channel: the line to the engine.
        name_of: gives the name that a function is declared as; raises UserError.
    """

    def __init__(
        self,
        proc_name: str,
        params: Mapping[str, Any],
        args: Mapping[str, Any],
        results: Results,
        extra_args: Sequence[str],
        channel: Channel,
        name_of: Callable[[Callable[..., object]], str],
    ) -> None:
        self.proc_name = proc_name
        self.params = Params(params, proc_name)
        self.args = dict(args)
        self.results = results
        self.extra_args = list(extra_args)
        self._channel = channel
        self._name_of = name_of

    def log(self, message: object) -> None:
        """Write a line to this proc's log, shown to whoever watches the run."""
        text = str(message)
        print(text, flush=True)
        self._channel.tell('log', {'message': text[:LONGEST_REMARK_CHARACTERS]})

    def progress(self, fraction: float | None, message: str = '') -> None:
        """Say how far this proc is.

        Args:
            fraction: done so far, from 0 to 1; None when it cannot be said.
            message: what it is doing.
        """
        bounded = None if fraction is None else min(1.0, max(0.0, float(fraction)))
        self._channel.tell('progress', {'fraction': bounded, 'message': str(message)[:LONGEST_REMARK_CHARACTERS]})

    def create(self, name: Name, proc_name: str | None = None, /, **args: object) -> list[str]:
        """Create procs, as :func:`parproc.create` does, and return their names."""
        given = {key: _sendable(key, value) for key, value in args.items()}
        (text,) = self._flat((name,))
        return self._names('create', {'name': text, 'proc_name': proc_name, 'args': given})

    def start(self, *names: Names) -> list[str]:
        """Schedule procs, with all they depend on, and return their full names; does not wait for them.

        What failed runs again, as with :func:`parproc.start`.
        """
        return self._names('start', {'names': self._flat(names)})

    def run(self, name: Name, proc_name: str | None = None, /, **args: object) -> list[str]:
        """Create and start."""
        return self.start(self.create(name, proc_name, **args))

    def wait(self, *names: Names) -> Any:
        """Block until these procs are over, starting those that are idle; meanwhile this proc holds no slot.

        Their results are in :attr:`results` afterwards.

        Returns:
            What the proc returned, where one argument was given and it is a function or a name without glob; else name
            -> value. None for one that was skipped.

        Raises:
            ProcessError: when one of them failed.
            UserError: for an unknown name.
            DeadlockError: when they can never end because they wait for this proc.
        """
        answer, results = self._ask('wait', {'names': self._flat(names)})
        self.results.add(results)
        failed = answer['failed']
        if isinstance(failed, dict) and failed:
            raise ProcessError(
                '; '.join(f'"{name}" failed: {reason}' for name, reason in failed.items()), failures=failed
            )
        waited = answer['names']
        over = [str(name) for name in waited] if isinstance(waited, list) else []
        values = {name: self.results[name] if name in results else None for name in over}
        return values[over[0]] if is_one_name(names) else values

    def get_input(self, message: str = '', password: bool = False) -> str:
        """Ask whoever started the run and return the line they typed.

        Args:
            message: the question.
            password: do not show what is typed.

        Raises:
            UserError: when there is nobody to answer.
        """
        return str(self._ask('input', {'message': str(message), 'password': bool(password)})[0]['text'])

    def _flat(self, names: Iterable[Names]) -> list[str]:
        return [name if isinstance(name, str) else self._name_of(name) for name in flatten(names)]

    def _names(self, verb: str, arguments: Mapping[str, object]) -> list[str]:
        names = self._ask(verb, arguments)[0]['names']
        return [str(name) for name in names] if isinstance(names, list) else []

    def _ask(
        self, verb: str, arguments: Mapping[str, object]
    ) -> tuple[Mapping[str, object], Mapping[str, EncodedResult]]:
        answer, results = self._channel.ask(verb, arguments)
        if 'error' in answer:
            kind = DeadlockError if answer.get('deadlock') else UserError
            hint = answer.get('hint')
            raise kind(str(answer['error']), hint=None if hint is None else str(hint))
        return answer, results


def _sendable(name: str, value: object) -> object:
    """Return an argument as it travels to the run; raises UserError for one that has no text to travel as."""
    if isinstance(value, (str, int, float, bool)):
        return value
    if not has_text(value):
        raise UserError(
            f'{name}: {shown(value)} cannot be handed to a proc that is created from inside another',
            hint='hand on a path, or let the program create the proc',
        )
    return as_text(value)


def flatten(names: Iterable[Names]) -> Iterator[Name]:
    """Yield every name and function of names, functions and lists of such; raises UserError for anything else."""
    for name in names:
        if isinstance(name, str) or callable(name):
            yield name
        elif isinstance(name, Iterable):
            yield from flatten(name)
        else:
            raise UserError(f'a proc name is text, or a declared function, not {shown(name)}')


def is_one_name(names: Sequence[Names]) -> bool:
    """Return whether what was waited for is one proc by itself, so that its value is wanted, and not a dict."""
    if len(names) != 1:
        return False
    (name,) = names
    return callable(name) or (isinstance(name, str) and not is_glob(name))
