"""Bodies of HTML forms in ``multipart/form-data``, as nested fields.

Files are not kept: a field that carries one has the file's name as its value.
"""

from warmlead.domain.errors import Reason, RejectedError
from warmlead.web.form_data import (
    CHARSET_FIELD,
    Fields,
    charset_of,
    check_count,
    decode_text,
    nest,
)


def parse_multipart(body: bytes, content_type: str) -> Fields:
    """The fields of the form. Raises ``RejectedError``."""
    # Of all functions only forms has this package, so nothing else may need it at import.
    from python_multipart.exceptions import FormParserError  # noqa: PLC0415  # see above
    from python_multipart.multipart import MultipartParser  # noqa: PLC0415  # see above

    boundary = _options(content_type.encode("latin-1", "replace")).get(b"boundary")
    if not boundary:
        raise RejectedError(Reason.FORM_INVALID, "The Content-Type names no boundary.")
    parts = _Parts()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": parts.begin,
                "on_part_data": parts.data,
                "on_header_field": parts.header_name,
                "on_header_value": parts.header_value,
                "on_header_end": parts.header_end,
                "on_end": parts.end,
            },
        )
        parser.write(body)
    except FormParserError as error:
        raise RejectedError(Reason.FORM_INVALID, "The multipart body is malformed.") from error
    if not parts.complete:
        raise RejectedError(Reason.FORM_INVALID, "The multipart body ends before its last part.")
    return nest(_texts([_field(headers, bytes(data)) for headers, data in parts.found]))


def _options(header: bytes) -> dict[bytes, bytes]:
    from python_multipart.multipart import parse_options_header  # noqa: PLC0415  # see above

    return parse_options_header(header)[1]


def _field(headers: dict[bytes, bytes], data: bytes) -> tuple[bytes, bytes]:
    options = _options(headers.get(b"content-disposition", b""))
    name = options.get(b"name")
    if name is None:
        raise RejectedError(Reason.FORM_INVALID, "A part of the multipart body has no name.")
    return name, options.get(b"filename", data)


def _texts(raw: list[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    named = next((value for name, value in raw if name == CHARSET_FIELD and value), b"utf-8")
    charset = charset_of(named.decode("latin-1"))
    return [(decode_text(name, charset), decode_text(value, charset)) for name, value in raw]


class _Parts:
    """Collects what the parser finds: each part's headers and data."""

    def __init__(self) -> None:
        self.found: list[tuple[dict[bytes, bytes], bytearray]] = []
        self.complete = False
        self._name = bytearray()
        self._value = bytearray()

    def begin(self) -> None:
        check_count(len(self.found) + 1)
        self.found.append(({}, bytearray()))

    def data(self, data: bytes, start: int, end: int) -> None:
        self.found[-1][1].extend(data[start:end])

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name.extend(data[start:end])

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value.extend(data[start:end])

    def header_end(self) -> None:
        self.found[-1][0][bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def end(self) -> None:
        self.complete = True
