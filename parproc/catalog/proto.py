"""A proto as the catalog keeps it: its pattern, the values its placeholders may have, and the names it can make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from parproc.catalog.argument_caster import ArgumentCaster
from parproc.core.names import Pattern, as_text, check_name, nearest
from parproc.core.plain_data import has_text, is_plain, same_value, shown
from parproc.core.targets import OpenPlaceholderError, fill_glob, names_literally
from parproc.declare.calling import ask
from parproc.declare.checks import choice_values, choices_mapping
from parproc.declare.declaration import Declaration
from parproc.declare.dependency_kinds import DepProcContext
from parproc.errors import UserError

_SHOWN_CHOICES = 20


class ProtoFamily:
    """All procs that one proto can make.

    Args:
        declaration: the proto's.

    Attributes:
        created: the names of its procs, where it has reverse dependencies; some may have been replaced since.

    Raises:
        UserError: for choices of an argument that the proto does not have.
    """

    __slots__ = ('_allowed', '_caster', '_whole', 'created', 'declaration', 'pattern')

    def __init__(self, declaration: Declaration) -> None:
        separator = declaration.separator
        self.declaration = declaration
        self.created: list[str] = []
        written = Pattern(declaration.name, separator)
        named = {**declaration.args, **dict.fromkeys(written.placeholders)}
        required = declaration.signature.required(named)
        self.pattern = Pattern(separator.join([declaration.name, *(f'[{name}]' for name in required)]), separator)
        self._caster = ArgumentCaster(declaration)
        self._allowed: dict[tuple[object, ...], dict[str, object]] = {}
        self._whole: Mapping[str, object] | None = None
        if isinstance(declaration.arg_choices, Mapping):
            self._whole = self._checked_whole(declaration.arg_choices)

    def bind(
        self, given: Mapping[str, object], params: Mapping[str, object], subject: str, texts: Mapping[str, str]
    ) -> dict[str, object]:
        """Return the arguments of one proc: those declared, and ``given``, checked against the choices and cast.

        Args:
            given: values, as text where they stand in a name.
            params: the run's parameters.
            subject: the proc's name, for errors.
            texts: the values that do stand in a name, as they are spelled there.

        Raises:
            UserError: for a value that is not allowed or does not cast.
        """
        bound: dict[str, object] = {}
        left: dict[str, object] = {}
        for name in (*self.pattern.placeholders, *(name for name in given if name not in self.pattern.placeholders)):
            if name not in given:
                continue
            value = given[name]
            text = texts.get(name)
            if text is None and is_plain(value):
                text = as_text(value)
            bound[name] = self._chosen(name, value, text, left, params, subject)
            if name in self.pattern.placeholders:
                left[name] = value if text is None else text
        declared = {
            name: self._caster.cast(name, value, subject)
            for name, value in self.declaration.args.items()
            if name not in bound
        }
        return {**declared, **bound}

    def names(self, glob: str, params: Mapping[str, object]) -> list[str]:
        """Return the names of the procs that ``glob`` matches, in the order of the choices.

        Raises:
            OpenPlaceholderError: when a glob meets a placeholder without choices.
            UserError: when choices cannot be worked out.
        """
        return [self.pattern.fill(texts) for texts in fill_glob(self.pattern, glob, _Chooser(self, params))]

    def is_named_by(self, glob: str) -> bool:
        """Return whether ``glob`` spells what is fixed in the pattern, so that it means this family."""
        return names_literally(self.pattern, glob)

    def values(self, name: str, bound: Mapping[str, object], params: Mapping[str, object]) -> dict[str, object] | None:
        """Return the values an argument may have, by their text; None when any is allowed.

        Args:
            name: the argument.
            bound: the placeholders left of it: their texts, and the values that have none.
            params: the run's parameters.

        Raises:
            UserError: when a callable fails, or what it returns are no choices.
        """
        whole = self._all_choices(params)
        if name not in whole:
            return None
        choices = whole[name]
        key: tuple[object, ...] = (name,)
        if callable(choices):
            key = (name, *((placeholder, text) for placeholder, text in bound.items() if isinstance(text, str)))
        lasting = not callable(choices) or len(key) > len(bound)
        allowed = self._allowed.get(key) if lasting else None
        if allowed is None:
            what = f'arg_choices["{name}"] of "{self.pattern.text}"'
            if callable(choices):
                texts = {placeholder: text for placeholder, text in bound.items() if isinstance(text, str)}
                args = self.bind(bound, params, self.pattern.text, texts)
                choices = ask(choices, what, DepProcContext(self.pattern.text, params, args), args)
            allowed = {}
            for place, value in enumerate(choice_values(choices, what), 1):
                named = name in self.pattern.placeholders or has_text(value)
                allowed[self.text_of(name, value, what) if named else f'{shown(value)} (number {place})'] = value
            if lasting:
                self._allowed[key] = allowed
        return allowed

    def text_of(self, name: str, value: object, what: str) -> str:
        """Return the text of a value for argument ``name``, which for a placeholder has to be one for a name.

        Raises:
            UserError: when it has none, or one that cannot stand in a name.
        """
        if not has_text(value):
            raise UserError(
                f'{what}: {shown(value)} for {name} has no text for a name',
                hint=f"name the proc: create('{self.pattern.text}', 'a-name', {name}=...)",
            )
        try:
            text = as_text(value)
        except Exception as error:
            raise UserError(
                f'{what}: {shown(value)} for {name} cannot be turned into text: {type(error).__name__}'
            ) from error
        if name in self.pattern.placeholders:
            self.check_text(name, text, what)
        return text

    def check_text(self, name: str, text: str, what: str) -> None:
        """Raise a UserError when ``text`` cannot stand for placeholder ``name`` in a name."""
        separator = self.pattern.separator
        if not text or separator in text:
            why = f'contains "{separator}"' if text else 'is empty'
            raise UserError(f'{what}: the value "{text}" for {name} {why}')
        check_name(text)

    def choices(self, params: Mapping[str, object]) -> dict[str, list[str] | None]:
        """Return placeholder -> the texts it may have, None for any; for showing.

        Choices that depend on a value to their left are those of all its values.
        """
        found: dict[str, list[str] | None] = {}
        prefixes: list[dict[str, str]] = [{}]
        asked = [name for name, choices in self._all_choices(params).items() if callable(choices)]
        placeholders = self.pattern.placeholders
        for place, name in enumerate(placeholders):
            known = [self.values(name, prefix, params) for prefix in (prefixes if name in asked else [{}])]
            texts = dict.fromkeys(text for allowed in known for text in allowed or ())
            found[name] = list(texts) if any(allowed is not None for allowed in known) else None
            if any(later in asked for later in placeholders[place + 1 :]):
                prefixes = [
                    {**prefix, name: text} for prefix in prefixes for text in self.values(name, prefix, params) or ()
                ]
        return found

    def is_closed(self, names: Iterable[str]) -> bool:
        """Return whether all these arguments have choices, as far as that is known without the run's parameters."""
        try:
            return all(name in self._all_choices({}) for name in names)
        except UserError:
            return False

    def _all_choices(self, params: Mapping[str, object]) -> Mapping[str, object]:
        if self._whole is None:
            asked = self.declaration.arg_choices
            if asked is None or isinstance(asked, Mapping):
                self._whole = {}
            else:
                what = f'arg_choices of "{self.pattern.text}"'
                found = ask(asked, what, DepProcContext(self.pattern.text, params, {}), {})
                self._whole = self._checked_whole(choices_mapping(found, what))
        return self._whole

    def _checked_whole(self, choices: Mapping[str, object]) -> Mapping[str, object]:
        for name in choices:
            if not self.takes(name):
                raise UserError(
                    f'Proto "{self.declaration.name}" has arg_choices for "{name}", which is none of its arguments',
                    hint=nearest(name, self.pattern.placeholders),
                )
        return choices

    def takes(self, name: str) -> bool:
        """Return whether ``name`` is one of the arguments a proc of this family can be given."""
        signature = self.declaration.signature
        return (
            name in self.pattern.placeholders
            or name in self.declaration.args
            or signature.keywords
            or any(parameter.name == name for parameter in signature.parameters)
        )

    def _chosen(
        self,
        name: str,
        value: object,
        text: str | None,
        left: Mapping[str, object],
        params: Mapping[str, object],
        subject: str,
    ) -> object:
        allowed = self.values(name, left, params)
        if allowed is None:
            return self._caster.cast(name, value, subject)
        if text is None:
            if any(value is each for each in allowed.values()):
                return value
            text = shown(value)
        elif text in allowed and not self._caster.annotates(name):
            return allowed[text]
        cast = self._caster.cast(name, value, subject)
        if text not in allowed and not any(_same_choice(cast, each) for each in allowed.values()):
            raise UserError(f'"{subject}": "{text}" is not a choice for {name}', hint=_choices_hint(text, allowed))
        return cast


class _Chooser:
    """The choices of a family as globs look at them."""

    def __init__(self, family: ProtoFamily, params: Mapping[str, object]) -> None:
        self._family = family
        self._params = params

    def texts(self, placeholder: str, bound: Mapping[str, str]) -> Sequence[str] | None:
        allowed = self._family.values(placeholder, bound, self._params)
        return None if allowed is None else list(allowed)

    def allows(self, placeholder: str, text: str, bound: Mapping[str, str]) -> bool:
        if self._family.values(placeholder, bound, self._params) is None:
            return True
        try:
            texts = {**bound, placeholder: text}
            self._family.bind(texts, self._params, self._family.pattern.text, texts)
        except UserError:
            return False
        return True


def _same_choice(cast: object, choice: object) -> bool:
    """Return whether a value that was cast from text is a choice that has another text: 1.50 where 1.5 may be chosen."""
    if type(cast) is not type(choice):
        return False
    try:
        return same_value(cast, choice) or bool(has_text(cast) and cast == choice)
    except Exception:
        return False


def _choices_hint(text: str, allowed: Mapping[str, object]) -> str:
    shown = ', '.join(list(allowed)[:_SHOWN_CHOICES])
    more = len(allowed) - _SHOWN_CHOICES
    listed = f'allowed: {shown}' + (f' and {more} more' if more > 0 else '') if allowed else 'none is allowed'
    close = nearest(text, allowed)
    return f'{close} {listed}' if close else listed


def open_placeholder_error(glob: str, family: ProtoFamily, problem: OpenPlaceholderError) -> UserError:
    """Return the error for a glob that meets a placeholder without choices."""
    name = problem.placeholder
    return UserError(
        f'"{glob}" is a glob, but "{family.pattern.text}" has no choices for {name}',
        hint=f"write the value out, or declare arg_choices={{'{name}': [...]}}",
    )
