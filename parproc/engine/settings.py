"""What is set for a session's procs beside their declarations: options, params, what follows ``--``; one value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from parproc.declare.options import Options


@dataclass(frozen=True, slots=True)
class Settings:
    """Options and params by now, and which of them stay, whatever is set later.

    Args:
        options: that hold.
        first_options: that hold again once the session is cleared.
        fixed_options: names of options that only the command line or a TOML file may set.
        params: name -> value.
        fixed_params: names of params that only the command line may set.
        extra_args: what followed ``--`` on the command line.

    Example:
        >>> settings = Settings(fixed_options=frozenset({'parallel'}))
        >>> settings.with_options({'parallel': 2, 'fail_fast': True}).options.fail_fast
        True
        >>> settings.with_options({'parallel': 2}).options.parallel
        100
    """

    options: Options = field(default_factory=Options)
    first_options: Options = field(default_factory=Options)
    fixed_options: frozenset[str] = frozenset()
    params: Mapping[str, object] = field(default_factory=dict)
    fixed_params: frozenset[str] = frozenset()
    extra_args: tuple[str, ...] = ()

    @classmethod
    def of(cls, options: Options) -> Settings:
        """Return settings that begin with these options."""
        return cls(options, options)

    def with_options(self, values: Mapping[str, object]) -> Settings:
        """Return these settings with other options, but for fixed ones.

        Raises:
            UserError: for an unknown option or a bad value, of a fixed option as well.
        """
        updated = self.options.updated(**values)
        kept = {name: getattr(self.options, name) for name in values if name in self.fixed_options}
        return replace(self, options=updated.updated(**kept))

    def with_options_fixed(self, names: Iterable[str]) -> Settings:
        """Return these settings with further options that nothing but a TOML file sets from now on."""
        return replace(self, fixed_options=self.fixed_options | frozenset(names))

    def with_params(self, values: Mapping[str, object]) -> Settings:
        """Return these settings with other params, but for fixed ones."""
        changed = {name: value for name, value in values.items() if name not in self.fixed_params}
        return replace(self, params={**self.params, **changed})

    def with_default_params(self, values: Mapping[str, object]) -> Settings:
        """Return these settings with params for which nothing was set."""
        return replace(self, params={**values, **self.params})

    def cleared(self) -> Settings:
        """Return what is left when the session forgets what was set: first options, and those that are fixed."""
        fixed = {name: getattr(self.options, name) for name in self.fixed_options}
        return replace(self, options=replace(self.first_options, **fixed), params={})
