"""What programs send in place of an id, and what only looks like it."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cost import assert_within
from effort import examples
from warmlead.domain.identity import is_damaged_address, normalise_id

POSTHOG = (
    *("anonymous", "guest", "distinctid", "distinct_id", "id", "not_authenticated", "email"),
    *("undefined", "true", "false", "null", "none", "nil", "nan", "0", "-1", "[object Object]"),
    *("user", "userid", "user_id", "unidentified", "anonymous_user", "unknown", "n/a"),
)
TEMPLATES = (
    *("{{user_id}}", "{{ user.id | default: '' }}", "{{User ID}}", "{{lead.Email Address}}"),
    *("${userId}", "{{${user_id}}}", "#{id}", "@{id}", "%{user_id}", "%(user_id)s", "{{}}"),
    *("*|UNIQID|*", "<%= id %>", "<?= $id ?>", "[[id]]", "{% user %}", "%%user_id%%", "@@ID@@"),
    *("{!Contact.Id}", "{$user_id}", "user-{{id}}", "u_${id}_x", "https://x.example/?u={{id}}"),
)
NAMES = (
    *(
        "%user_id%",
        "%FIRSTNAME%",
        "{id}",
        "{userId}",
        "{customer_number}",
        "[user_id]",
        "<user id>",
    ),
    *("(user_id)", "__USER_ID__", "##USERID##", "$USER_ID", "$userId", "$user->id", "$EMAIL$"),
    *(":user_id", "@user_id", "&userid", "customer_id", "contactId", "YOUR_USER_ID", "user.id"),
    *("your-user-id", "INSERT_ID_HERE", "'user_id'", "<YOUR ID>", "%s", "%d", "%@", "{0}", "$1"),
)
BLANKS = (
    *(
        "",
        "   ",
        "\t",
        "(null)",
        "<null>",
        "{}",
        "[]",
        "()",
        "-",
        "--",
        "---",
        "...",
        "—",
        "?",
        "_",
    ),
    *(
        "(not set)",
        "(none)",
        "unset",
        "Not Set",
        "not_set",
        "#N/A",
        r"\N",
        "NaN",
        "None",
        "<empty>",
    ),
    *("undefined,undefined", "null null", "undefined-undefined", "null;null", "none|none"),
    *("user-null", "user_undefined", "id=undefined", '""', "''", '"null"', "[[]]", "(direct)"),
    *("[object HTMLInputElement]", "[object Promise]", "function () { return 1 }", "() => id"),
    *("<User object at 0x7f8a>", "xxxxx", "\u200b", "\ufeffnull\u200b", "[email\u00a0protected]"),
    *("00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}"),
    *("00000000000000000000000000000000", "00000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    *("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "0000", "000000"),
    *("#REF!", "#VALUE!", "#DIV/0!", "#NAME?"),
    *("%7B%7Buser_id%7D%7D", "%257B%257Bid%257D%257D", "%24%7Bid%7D", "%5Bid%5D", "%28null%29"),
    *("&#160;", "&#123;&#123;id&#125;&#125;"),
)
IDS = (
    *("42", "u-1", "u1", "Ada", "nullable", "00", "-1a", "user_id_42", "A%20", "id-5", "user 5"),
    *("{3F2504E0-4F89-11D3-9A0C-0305E82C3301}", "3F2504E0-4F89-11D3-9A0C-0305E82C3301"),
    *("$device:18b3f-c1", "$RCAnonymousID:8f3c2e", "auth0|5f7c8ec7", "google-oauth2|1234"),
    *("sid", "Eid", "David", "nano", "visitor", "customer", "client", "test", "admin", "key"),
    *("none-of-your-business", "null-island", "john.null.doe", "nil-2", "guest_123"),
    *("anonymous_8f3e", "__ada__", "(ada)", "[1]", "@ada", "$ada", "#17", "100%", "%41%42", "{42}"),
    *("crm:hubspot:1:contact:2", "😀", "أحمد", "{'id': 5}", "blank", "empty", "0a", "e-id-7"),
    *("ada@example.com", "Ada+News@Example.com", "10000000", "1e8", "xx", "٣"),
)


@pytest.mark.parametrize("text", [*POSTHOG, *TEMPLATES, *NAMES, *BLANKS])
def test_placeholders_are_no_ids(text: str) -> None:
    for said in (text, text.upper(), f"  {text}\n"):
        assert normalise_id(said) is None


@pytest.mark.parametrize("text", ["&nbsp;", "&nbsp;&nbsp;", "%26nbsp%3B", "&lt;id&gt;"])
def test_entities_without_a_meaning_are_no_ids(text: str) -> None:
    assert normalise_id(text) is None


@pytest.mark.parametrize("text", IDS)
def test_other_ids_keep_their_letters_and_lose_the_space_around(text: str) -> None:
    assert normalise_id(f" {text}\t") == text


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("test 1@example.com", "test+1@example.com"),
        ("Ada News@Example.com", "Ada+News@Example.com"),
        ("ada%40example.com", "ada@example.com"),
        ("ada%2540example.com", "ada@example.com"),
        ("Ada%2BNews%40example.com", "Ada+News@example.com"),
        ("u\u200b1", "u1"),
        ("\ufeffu1", "u1"),
        ("jose\u0301", "josé"),
        ("ada@example.com%20", "ada@example.com"),
        ("%20Ada@example.com%0D%0A", "Ada@example.com"),
        ("ada&#64;example.com", "ada@example.com"),
        ("ada&commat;example.com", "ada@example.com"),
        ("ada@@example.com", "ada@example.com"),
        ("a@@b", "a@@b"),
        ("a&#64;b", "a&#64;b"),
        ("AT&T;1", "AT&T;1"),
        ("x%20", "x%20"),
        ("auth0%7C42", "auth0%7C42"),
        ("a%40b", "a%40b"),
        ("two words", "two words"),
    ],
)
def test_an_id_is_mended_where_it_can_mean_one_thing(text: str, id_: str) -> None:
    assert normalise_id(text) == id_
    assert normalise_id(id_) == id_


@pytest.mark.parametrize("text", ["a b c@example.com", "Ada Lovelace ada@example.com"])
def test_an_address_with_several_blanks_is_damaged(text: str) -> None:
    assert is_damaged_address(text)


@pytest.mark.parametrize("text", ["ada@example.com", "a b", "a b@c", "a@ b", "@", " @" * 5_000])
def test_a_text_without_an_address_is_not_a_damaged_address(text: str) -> None:
    assert not is_damaged_address(text)


@settings(max_examples=examples(1_000), derandomize=True)
@given(st.text() | st.text("ndunlie@ %40{}()[]<>$_-\u200b\u0301"))
def test_normalising_an_id_is_idempotent(text: str) -> None:
    id_ = normalise_id(text)
    assert id_ is None or normalise_id(id_) == id_


@settings(max_examples=examples(1_000), derandomize=True)
@given(st.text(string.ascii_letters + string.digits + "-", min_size=8), st.integers(1, 9))
def test_an_id_with_a_number_of_its_own_is_an_id(text: str, number: int) -> None:
    assert normalise_id(f"a{number}z{text}") is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        *("{{", "${", "%", "null ", "(", "a@", "%40", "[object ", "user", "0", "x", "-", "id "),
        *("&#", "&amp;", "@@", "%20", "%2525", "&#64;"),
        *("\u0301\u0316", "\u064b\u200c", "ü", " ", "_a", "A", "<%"),
    ],
)
@pytest.mark.parametrize("length", [200, 490, 100_000])
def test_any_id_takes_time_in_proportion_to_it(unit: str, length: int) -> None:
    text = (unit * length)[:length] + "z"
    assert_within(0.005, lambda: normalise_id(text))
