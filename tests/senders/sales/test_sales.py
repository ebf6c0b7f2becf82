import json
from datetime import UTC, datetime

from warmlead.domain.event import Trust
from warmlead.ports import RawRequest
from warmlead.senders.sales import GenericSalesSettings, GenericSalesSource

NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)


def test_a_statement_is_read_in_the_charset_that_is_declared() -> None:
    source = GenericSalesSource(GenericSalesSettings(allow_unsigned=True))
    said = {"said": "touched", "user_id": "表示"}
    body = json.dumps(said, ensure_ascii=False).encode("shift_jis")
    headers = {"content-type": "application/json; charset=Shift_JIS"}
    request = RawRequest("POST", "/generic", "", headers, body, NOW, "request")
    ((_, event),) = source.translate(request, Trust.SIGNED).events
    assert event.user_id == "表示"
