"""A form with a spam check, as browsers and their visitors meet it."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from captcha_server import SECRET, CaptchaVendor, a_vendor
from commands import command
from e2e.ledger import drain
from served import Served, serving

NAVIGATES = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Sec-Fetch-Mode": "navigate",
    "Accept-Language": "de",
}


@pytest.fixture(scope="module")
def vendor() -> Iterator[CaptchaVendor]:
    with a_vendor("turnstile") as vendor:
        vendor.good = {f"token-{number}": {} for number in range(5)}
        yield vendor


def forms(folder: Path, address: str) -> Path:
    """A file of forms: one that accepts in an outage, and one that sets aside."""
    captcha: dict[str, object] = {"service": "turnstile", "secrets": ["env:CAPTCHA_SECRET"]}
    captcha |= {"address": address, "timeout_s": 10}  # on a busy machine two seconds are short
    strict = {**captcha, "on_outage": "set_aside"}
    file = folder / "forms.json"
    file.write_text(
        json.dumps(
            {
                "contact": {"allow_unsigned": True, "captcha": captcha},
                "strict": {"allow_unsigned": True, "captcha": strict},
            }
        )
    )
    return file


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, vendor: CaptchaVendor) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("warmlead")
    file = str(forms(folder, vendor.address))
    with serving(folder / "data", WARMLEAD_FORMS=file, CAPTCHA_SECRET=SECRET) as served:
        yield served


def sent(server: Served, email: str, token: str = "", form: str = "contact") -> tuple[int, str]:
    fields = {"email": email, "cf-turnstile-response": token}
    status, body = server.post(f"/forms/generic/{form}", urlencode(fields).encode(), NAVIGATES)
    return status, body.decode()


def test_a_person_passes_and_a_repeated_post_counts_once(server: Served) -> None:
    for _ in range(3):
        status, page = sent(server, "ada@example.com", "token-0")
        assert (status, "Vielen Dank" in page) == (200, True)

    drain(server)
    lead = server.lead("ada@example.com")
    assert lead
    assert lead["events"] == {"form_submitted": 1}


def test_who_does_not_pass_is_asked_to_repeat_it_and_can_be_released(server: Served) -> None:
    assert sent(server, "bob@example.com")[0] == 400
    assert sent(server, "fay@example.com", "token-3")[0] == 200
    status, page = sent(server, "eve@example.com", "token-3")  # each token is good for one post
    assert (status, "wiederholen Sie die Prüfung" in page) == (403, True)
    drain(server)
    assert not server.lead("bob@example.com")

    first, second = server.json("quarantine", "list")
    assert [first["reason"], second["reason"]] == ["captcha_missing", "captcha_failed"]
    assert server.json("quarantine", "replay") == {"released": 0, "kept": 0}
    assert server.json("quarantine", "replay", str(first["number"]))["released"] == 1
    drain(server)
    assert server.lead("bob@example.com")
    assert not server.lead("eve@example.com")


def test_an_outage_becomes_what_the_form_says(server: Served, vendor: CaptchaVendor) -> None:
    vendor.answer = (503, b"")
    assert sent(server, "cem@example.com", "token-1")[0] == 200
    assert sent(server, "dov@example.com", "token-2", "strict")[0] == 200
    vendor.answer = None
    drain(server)

    lead = server.lead("cem@example.com")
    assert "spam check" in json.dumps(lead)
    assert not server.lead("dov@example.com")
    reasons = [entry["reason"] for entry in server.json("quarantine", "list")]
    assert reasons.count("captcha_unchecked") == 1


def test_production_takes_no_other_address_than_the_services(tmp_path: Path) -> None:
    file = forms(tmp_path, "http://127.0.0.1:9/siteverify")
    settings = {"WARMLEAD_ENV": "production", "WARMLEAD_FORMS": str(file), "CAPTCHA_SECRET": SECRET}
    done = command(("serve",), {"WARMLEAD_DATA": str(tmp_path / "data"), **settings})
    assert done.returncode != 0
    assert "contact.captcha.address: is only for one's own machine" in done.stderr
