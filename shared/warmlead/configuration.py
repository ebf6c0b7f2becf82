"""What people configure, read as a ``Struct``: every fault is named, and no value is repeated.

A value may be a secret, so no message holds one. What can be configured is not said here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

from msgspec import Struct, ValidationError, convert, inspect, structs

T = TypeVar("T")


class Fault(NamedTuple):
    """What is wrong with one value: ``where`` are the names that lead to it."""

    where: tuple[str, ...]
    message: str


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
