"""Published shapes, and how they are made of what the domain holds under the same names."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A document whose fields are promised: they are only ever added to."""

    model_config = ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=Shape)


def shaped(shape: type[S], of: object, **others: Any) -> S:  # noqa: ANN401  # as the fields are
    """The shape with the attributes of an object that bear its fields' names, and ``others``.

    Raises ``AttributeError`` if a field is among neither.
    """
    same = {name: getattr(of, name) for name in shape.model_fields if name not in others}
    return shape(**same, **others)
