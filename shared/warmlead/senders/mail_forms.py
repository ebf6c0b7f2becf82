"""The forms in which mail tools post mails that came in: urlencoded, or multipart with files."""

from collections.abc import Collection

from warmlead.domain.errors import Reason, RejectedError
from warmlead.ports import RawRequest
from warmlead.senders.bodies import read_submissions


def is_json(body: bytes) -> bool:
    """Whether a body is JSON by its start, and not a form."""
    return body[:100].lstrip()[:1] in (b"{", b"[", b"")


def is_multipart(body: bytes) -> bool:
    """Whether a form is multipart by its start."""
    return body[:100].lstrip().startswith(b"--")


def fields_of_mail(request: RawRequest, names: Collection[str]) -> dict[str, str]:
    """The texts of some fields of the form; raises ``RejectedError`` if it cannot be read.

    They are found among however many files.
    """
    wanted = {name.encode() for name in names}
    told = read_submissions(request, lambda _field, _note: None, lambda name, _: name in wanted)
    found = told.items[0]
    if not isinstance(found, dict):
        raise RejectedError(Reason.FORM_INVALID, "The body is not a form.")
    return {name: value.strip() for name in names if isinstance(value := found.get(name), str)}
