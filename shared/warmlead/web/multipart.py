"""Bodies of HTML forms in ``multipart/form-data``, as nested fields.

Files are not kept: a field that carries one has the file's name as its value. A part that cannot
be read costs only itself, so parts are told apart here, and each is then read by itself.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from warmlead.domain.errors import Reason, RejectedError
from warmlead.web.charsets import Tell, codec_or_default, decode
from warmlead.web.form_data import (
    MAX_NEEDED,
    Fields,
    IsNeeded,
    declared_in,
    first_and_last,
    nest,
    nothing_is_needed,
    parameter_of,
)

MAX_BOUNDARY_BYTES = 200
"""Standards allow 70."""

MAX_HEAD_BYTES = 2_000
"""The largest head of a part that is looked at."""

_NAME = re.compile(rb'[; ]name="?([^"\r\n;]*)')


class _Part(NamedTuple):
    name: bytes
    value: bytes
    charset: str


def parse_multipart(
    body: bytes, content_type: str, tell: Tell, is_needed: IsNeeded = nothing_is_needed
) -> Fields:
    """The fields of the form; raises ``RejectedError`` if no part of it can be read.

    A part that the body breaks off in is left out: half an address is another address.
    """
    # One starts as if a line had gone before, so that every boundary begins a line.
    body = b"\r\n" + (body if b"\r\n" in body else body.replace(b"\n", b"\r\n"))
    delimiter = b"\r\n--" + _boundary(body, content_type)
    if delimiter not in body:
        raise RejectedError(Reason.FORM_INVALID, "The multipart body has no boundary.")

    def needs(piece: bytes) -> bool:
        head, _, value = piece[: MAX_HEAD_BYTES + MAX_NEEDED].partition(b"\r\n\r\n")
        name = _NAME.search(head)
        return name is not None and is_needed(name[1], value[:MAX_NEEDED])

    parts = list(_parts(first_and_last(body, delimiter, tell, needs), tell))
    if not parts:
        raise RejectedError(Reason.FORM_INVALID, "No part of the multipart body can be read.")
    declared = declared_in([(part.name, part.value) for part in parts])
    codec = codec_or_default(declared or parameter_of(content_type, "charset"), tell)
    return nest([_decoded(part, codec, tell) for part in parts])


def _boundary(body: bytes, content_type: str) -> bytes:
    """The boundary that the header names, or else the one with which the body begins."""
    named = parameter_of(content_type, "boundary").encode("latin-1", "replace")
    if 0 < len(named) <= MAX_BOUNDARY_BYTES and b"\r\n--" + named in body:
        return named
    first = body.lstrip(b"\r\n")[: MAX_BOUNDARY_BYTES + 2].partition(b"\r\n")[0].rstrip()
    if first.startswith(b"--") and len(first) > len(b"--"):
        return first[2:]
    raise RejectedError(
        Reason.FORM_INVALID, "Name the boundary of the multipart body in the Content-Type."
    )


def _parts(pieces: Sequence[bytes], tell: Tell) -> Iterator[_Part]:
    """The parts between the boundaries that can be read; what is left out is told."""
    _, *after = pieces
    for number, piece in enumerate(after, start=1):
        if piece.startswith(b"--"):
            return
        if number == len(after):
            if piece.strip():
                tell("", "the multipart body breaks off; its last part was left out")
            return
        part = _part(piece)
        if part is None:
            tell("", "a part of the multipart body that has no name was left out")
        else:
            yield part


def _part(piece: bytes) -> _Part | None:
    head, end, value = piece.partition(b"\r\n\r\n")
    if not end or len(head) > MAX_HEAD_BYTES:
        return None
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    headers = {name.strip().lower(): text.strip() for name, _, text in lines}
    options = _options(headers.get(b"content-disposition", b""))
    if b"name" not in options:
        return None
    if b"filename" in options:
        return _Part(options[b"name"], options[b"filename"], "")
    charset = parameter_of(headers.get(b"content-type", b"").decode("latin-1"), "charset")
    return _Part(options[b"name"], value, charset)


def _options(header: bytes) -> dict[bytes, bytes]:
    # Of all functions only forms has this package, so nothing else may need it at import.
    from python_multipart.multipart import parse_options_header  # noqa: PLC0415  # see above

    return parse_options_header(header)[1]


def _decoded(part: _Part, codec: str, tell: Tell) -> tuple[str, str]:
    name = decode(part.name, codec, tell)
    own = codec_or_default(part.charset, tell) if part.charset else codec
    return name, decode(part.value, own, tell, name)
