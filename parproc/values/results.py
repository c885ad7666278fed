"""The results that a task can look at, by name, each decoded when it is first looked at."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from parproc.errors import MissingError
from parproc.values.decoding import decode_result
from parproc.values.encoding import EncodedResult

# what the functions below see, whatever a task does to the built-in ones
globals()['__builtins__'] = dict(vars(builtins))


class Results(Mapping[str, Any]):
    """Name -> result, read only; each is decoded when it is first looked at.

    Args:
        encoded: results by name; shared, not copied.
        brief: as for :func:`parproc.values.decoding.decode`.
        explain: name -> why there is no result of that name, as a message.
    """

    __slots__ = ('_brief', '_decoded', '_encoded', '_explain')

    def __init__(
        self,
        encoded: Mapping[str, EncodedResult],
        *,
        brief: bool = False,
        explain: Callable[[str], str] = 'no result "{}"'.format,
    ) -> None:
        self._brief = brief
        self._encoded = encoded
        self._decoded: dict[str, Any] = {}
        self._explain = explain

    @property
    def encoded(self) -> Mapping[str, EncodedResult]:
        """The results as they travel."""
        return self._encoded

    def __getitem__(self, name: str) -> Any:
        if name not in self._decoded:
            if name not in self._encoded:
                raise MissingError(self._explain(name))
            self._decoded[name] = decode_result(name, self._encoded[name], brief=self._brief)
        return self._decoded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._encoded

    def __iter__(self) -> Iterator[str]:
        return iter(self._encoded)

    def __len__(self) -> int:
        return len(self._encoded)

    def __repr__(self) -> str:
        return repr(dict(self))

    def add(self, more: Mapping[str, EncodedResult]) -> None:
        """Take in results that came later."""
        self._encoded = {**self._encoded, **more}
