"""The kinds of options that there are on the command line: each gives the value of its field a type.

An option is an attribute of a class of :class:`Options`, and reading it there reads the value that was given. Completion
and ``--help`` load this module at each start, so it imports nothing, and options are plain objects.
"""

from __future__ import annotations


class Options:
    """What was given for the options that are attributes of this class.

    Attributes:
        given: field -> value, of the options that were given.
    """

    given: dict[str, str | bool | tuple[str, ...]]


class Option:
    """An option: all that is said of it anywhere. Each subclass says which type its value has.

    Args:
        names: as they are typed, short ones first; the last one gives the environment variable its name.
        help_text: one sentence, for ``--help``; completion shows it without its full stop.
        more: what only the README adds to it.
        metavar: what stands for the value in ``--help``; empty where the choices say it, or there is no value.
        choices: all values there are.
        bare: the value that the option has when none follows it; None where one must follow. It may be one that
            is not among the choices.
        completes: what completion offers as a value: ``name`` of a proc, ``glob`` over them, ``file`` or ``dir``.
        offers: values that completion offers although others are possible.

    Attributes:
        field: the attribute of the command line that holds the value.
    """

    __slots__ = ('bare', 'choices', 'completes', 'field', 'help_text', 'metavar', 'more', 'names', 'offers')

    def __init__(
        self,
        *names: str,
        help_text: str,
        more: str = '',
        metavar: str = '',
        choices: tuple[str, ...] = (),
        bare: str | None = None,
        completes: str = '',
        offers: tuple[str, ...] = (),
    ) -> None:
        self.names = names
        self.help_text = help_text
        self.more = more
        self.metavar = metavar or (f'[{"|".join(choices)}]' if choices else '')
        self.choices = choices
        self.bare = bare
        self.completes = completes
        self.offers = offers or choices
        self.field = ''

    def __set_name__(self, owner: type[Options], name: str) -> None:
        self.field = name

    @property
    def takes_value(self) -> bool:
        """Whether a value belongs to it, in the same word or in the next."""
        return bool(self.metavar)

    @property
    def environment(self) -> str:
        """The environment variable that is its default; empty for none."""
        return f'PARPROC_{self.names[-1].lstrip("-").upper().replace("-", "_")}'


class Flag(Option):
    """An option without a value: given or not."""

    __slots__ = ()

    def __get__(self, line: Options, owner: type[Options] | None = None) -> bool:
        return bool(line.given.get(self.field))


class Opposite(Option):
    """One of two options without a value, of which the last one given counts; None where neither is.

    Args:
        means: what the value that both share is when this one counts.
    """

    __slots__ = ('means',)
    shared = 'after_failure'

    def __init__(self, *names: str, help_text: str, more: str = '', means: str) -> None:
        super().__init__(*names, help_text=help_text, more=more)
        self.means = means

    def __get__(self, line: Options, owner: type[Options] | None = None) -> bool | None:
        value = line.given.get(self.shared)
        return None if value is None else value == self.means


class Text(Option):
    """An option with a value; None where it is not given."""

    __slots__ = ()

    def __get__(self, line: Options, owner: type[Options] | None = None) -> str | None:
        value = line.given.get(self.field)
        return value if isinstance(value, str) else None


class TextOrAuto(Option):
    """An option with a value, which is ``auto`` where it is not given."""

    __slots__ = ()

    def __get__(self, line: Options, owner: type[Options] | None = None) -> str:
        value = line.given.get(self.field)
        return value if isinstance(value, str) else 'auto'


class Texts(Option):
    """An option with a value that may be given more than once."""

    __slots__ = ()

    def __get__(self, line: Options, owner: type[Options] | None = None) -> tuple[str, ...]:
        value = line.given.get(self.field)
        return value if isinstance(value, tuple) else ()


class Answer(Option):
    """An option that is answered at once and asks for nothing else; the environment cannot give it."""

    __slots__ = ()

    @property
    def environment(self) -> str:
        """The environment variable that is its default: none."""
        return ''
