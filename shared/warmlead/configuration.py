"""What people configure, read as a ``Struct``: every fault is named, and no value is repeated.

A value may be a secret, so no message holds one. What can be configured is not said here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

from msgspec import Struct, ValidationError, convert, inspect, structs

T = TypeVar("T")


MIN_KEY_LENGTH = 16
"""A secret that a sender has is at least so long in production."""

LEAST_VARIETY = 6
"""A secret of fewer different characters is no random one."""


class Fault(NamedTuple):
    """What is wrong with one value: ``where`` are the names that lead to it."""

    where: tuple[str, ...]
    message: str


def told(fault: Fault) -> str:
    """The fault as a sentence that begins with its place."""
    return ": ".join(filter(None, [".".join(fault.where), fault.message]))


def is_guessable(secret: str, least: int) -> bool:
    """Whether a text is too short, too even or padded: a blank at its end is easily lost.

    Of what repeats itself only the part that is repeated counts.
    """
    return (
        len(_repeated_part(secret)) < least
        or len(set(secret)) < LEAST_VARIETY
        or secret != secret.strip()
    )


def _repeated_part(text: str) -> str:
    """What the text repeats from its beginning to its end; all of it if it does not.

    A random text may end as it begins by chance: what is not repeated for half as long again
    is no repetition.
    """
    most = 2 * len(text) // 3
    return next((text[:n] for n in range(1, most + 1) if text.startswith(text[n:])), text)


def random_text(length: int) -> str:
    """A command that prints a random text of at least so many characters."""
    return f'python3 -c "import secrets; print(secrets.token_urlsafe({length}))"'


def why_unreadable(error: OSError | ValueError) -> str:
    """Why a text file cannot be read, in words."""
    if isinstance(error, OSError):
        return f"it cannot be read: {error.strerror or type(error).__name__}"
    if isinstance(error, UnicodeDecodeError):
        return f"it cannot be read: byte {error.start + 1} is not UTF-8"
    return f"it cannot be read: {error}"


def configured(given: object, type_: type[T]) -> T:
    """The value as the type, texts as what they stand for; raises ``ValueError`` if it is none."""
    return convert(given, type_, strict=False, dec_hook=_special)


def faults_of(given: object, type_: Any, where: tuple[str, ...] = ()) -> list[Fault]:  # noqa: ANN401  # an annotation
    """Everything that keeps the value from being of the type; empty if nothing does.

    A struct's rule for several fields is only asked about once each field is right.
    """
    struct = _struct_in(type_)
    if struct is None or (given is None and type_ is not struct):
        return list(_fault(given, type_, where))
    if not isinstance(given, dict):
        return [Fault(where, "must be a mapping of names to values")]
    found = list(_faults_of_fields(given, struct, where))
    return found or list(_fault(given, struct, where))


def _faults_of_fields(
    given: dict[str, object], struct: type[Struct], where: tuple[str, ...]
) -> Iterator[Fault]:
    fields = {field.name: field for field in structs.fields(struct)}
    for name in given:
        if name not in fields:
            yield Fault((*where, str(name)), f"is not known; there are {', '.join(fields)}")
    for name, field in fields.items():
        if name in given:
            yield from faults_of(given[name], field.type, (*where, name))
        elif field.required:
            yield Fault((*where, name), "is missing")


def _fault(given: object, type_: Any, where: tuple[str, ...]) -> Iterator[Fault]:  # noqa: ANN401  # an annotation
    try:
        configured(given, type_)
    except ValidationError as error:
        yield Fault(where, _rule(inspect.type_info(type_)) or str(error))


def _rule(type_: inspect.Type) -> str:
    """What a value has to be, where that says more than the error, or the error a value."""
    match type_:
        case inspect.Metadata(type=inner) | inspect.DictType(value_type=inner):
            return _rule(inner)
        case inspect.LiteralType(values=choices) | inspect.EnumType(cls=choices):
            return f"must be {' or '.join(map(str, choices))}"
        case inspect.IntType(ge=int(least), le=int(most)):
            return f"must be a whole number from {least} to {most}"
        case inspect.FloatType(gt=bound, le=most) if bound is not None and most is not None:
            return f"must be a number above {bound:g} and at most {most:g}"
        case inspect.BoolType():
            return "must be true or false"
    return ""


def _struct_in(type_: Any) -> type[Struct] | None:  # noqa: ANN401  # an annotation
    choices = (type_, *get_args(type_))
    return next((c for c in choices if isinstance(c, type) and issubclass(c, Struct)), None)


def _special(type_: type, given: object) -> object:
    if type_ is Path and isinstance(given, str):
        return Path(given)
    raise TypeError("must be text")
