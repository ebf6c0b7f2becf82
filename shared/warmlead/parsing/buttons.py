"""What a button in a message to sales carries: written where it is sent, read where it is pressed.

The tool that shows the button hands the text back as it is.
"""

from msgspec import DecodeError, Struct, ValidationError, json

from warmlead.domain.errors import Reason, RejectedError

TOUCHED = "warmlead_touched"
"""The name of the button by which sales says that it has contacted the lead."""

MAX_BUTTON = 2_000
"""Characters of a button's text: what Slack allows for its value."""


class Button(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which message showed the button, and whom it is about.

    ``message`` is the id of the message, ``lead`` that of the lead, and ``offer`` the number of
    the offer, 0 if there is none. A lead is not found by its id, which is a hash: the statement
    names it by ``user_id``, or by ``email`` if it has none. A later release may add fields.
    """

    message: str
    lead: str
    offer: int = 0
    user_id: str = ""
    email: str = ""


def button_text(button: Button) -> str:
    """The text that a button carries; empty if it names nobody, or is too long."""
    text = json.encode(button).decode()
    return text if (button.user_id or button.email) and len(text) <= MAX_BUTTON else ""


def read_button(text: str) -> Button:
    """The button of a text; raises ``RejectedError`` if it is none of ours."""
    try:
        return json.decode(text[: MAX_BUTTON + 1].encode(errors="replace"), type=Button)
    except (DecodeError, ValidationError) as error:
        message = "This is not the value of a button of Warmlead's."
        raise RejectedError(Reason.EVENT_INVALID, message) from error
