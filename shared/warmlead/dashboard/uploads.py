"""What a browser uploads with a form of ours: texts in fields, and texts in files."""

import re
from collections.abc import Mapping

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.form_bodies import parameter_of
from warmlead.ports import RawRequest

MOST_PARTS = 20
LONGEST_BOUNDARY = 70
"""The longest boundary, in characters (RFC 2046, section 5.1.1)."""

LONGEST_HEAD = 2_000
_NAME = re.compile(rb'content-disposition: form-data; name="([^"\r\n]{1,40})"', re.IGNORECASE)


def uploaded(request: RawRequest) -> Mapping[str, str]:
    """The fields of a form in ``multipart/form-data``, as browsers write it, lines ended by LF.

    An empty field is left out, so of a text and a file of the same name the one that was filled in
    counts; of two the first. Raises ``RejectedError`` for anything else, and for texts that are not
    in UTF-8, in which our pages are.
    """
    header = request.headers.get("content-type", "")
    if header.partition(";")[0].strip().lower() != "multipart/form-data":
        raise RejectedError(Reason.MEDIA_TYPE_UNSUPPORTED, "Send the form of the page.")
    boundary = parameter_of(header, "boundary").encode("latin-1", "replace")
    if not 0 < len(boundary) <= LONGEST_BOUNDARY:
        raise RejectedError(Reason.FORM_INVALID, "The form has no boundary.")
    _, *parts = (b"\r\n" + request.body).split(b"\r\n--" + boundary, MOST_PARTS + 1)
    if not parts or not parts[-1].startswith(b"--"):
        raise RejectedError(Reason.FORM_INVALID, "The form breaks off, or has too many fields.")
    found: dict[str, str] = {}
    for part in parts[:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        named = _NAME.search(head[:LONGEST_HEAD])
        if named is None:
            raise RejectedError(Reason.FORM_INVALID, "A field of the form has no name.")
        name = named[1].decode("utf-8", "replace")
        if text := _text(value, name):
            found.setdefault(name, text)
    return found


def _text(value: bytes, name: str) -> str:
    try:
        text = value.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RejectedError(Reason.CHARSET_INVALID, f"{name} is not a text in UTF-8.") from error
    return text.replace("\r\n", "\n")
