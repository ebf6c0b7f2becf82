"""Long texts of which work might take more than its share: runs, alternations, near matches."""

from collections.abc import Callable, Sequence
from random import Random

from fuzz.patterns import near_match, patterns

Text = Callable[[int], str]
"""Makes a text of about so many characters."""

NEAR_MATCHES = 0.4
"""The share of texts that nearly match one of the product's patterns."""

BLANKS = (
    " ",
    "\t",
    "\n",
    "\r\n",
    "\u00a0",
    "\u202f",
    "\u2028",
    "\u3000",
    "\x1f",
    " \t",
    "a ",
    "1 ",
)
MARKS = (
    *(
        "\u0315\u0300",
        "\u0300",
        "a\u0315\u0300",
        "\u0f71\u0f72\u0f74",
        "e\u0301",
        "\u1100\u1161\u11a8",
    ),
    *(
        "\u200d",
        "\u200b",
        "\ufeff",
        "\u00ad",
        "\u202e",
        "\ufdfa",
        "\ufb03",
        "\u1e9e",
        "ü.",
        "ß.",
        "İ",
    ),
)
OTHERS = (
    *(
        " ",
        "\t",
        "\n",
        "\r\n",
        "0",
        "9",
        ".",
        "-",
        ",",
        "'",
        '"',
        "@",
        "%",
        "&",
        ";",
        "+",
        "=",
        "#",
    ),
    *(
        "?",
        "/",
        "\\",
        ":",
        "_",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "<",
        ">",
        "*",
        "~",
        "|",
        "a",
        "A",
        "é",
    ),
    *(
        "\u00a0",
        "\u202f",
        "\u2028",
        "\u3000",
        "\x00",
        "\x1f",
        "\ufeff",
        "\u200d",
        "\u200b",
        "\u00ad",
    ),
    *(
        "\u0315\u0300",
        "\u0300",
        "a\u0315\u0300",
        "\u0f71\u0f72\u0f74",
        "\ufdfa",
        "\ufb03",
        "\u1e9e",
    ),
    *("ü.", "a.", ".a", "xn--a.", "ß.", "ς", "İ", "é\u0301", "e\u0301", "가", "\u1100\u1161\u11a8"),
    *(
        "\U0001f600",
        "\U0001f468\u200d",
        "\u202e",
        "購",
        "\ud83d",
        "aA",
        "a_",
        "_a",
        "A_A",
        "a b",
        "a ",
    ),
    *(
        "%25",
        "25",
        "%2525",
        "%C3%A9",
        "%u0041",
        "%zz",
        "+%20",
        "&#1;",
        "&#55296;",
        "&amp;",
        "&amp;amp;",
    ),
    *(
        "&a=",
        "a&",
        "a=",
        "=a",
        ";a=",
        "; a=b",
        ",a",
        ", ",
        "1,000,",
        ",000",
        " 000",
        "1.",
        "1-",
        "1e",
    ),
    *(
        "a\n",
        "a=b\n",
        "=\n",
        "[a]",
        "[]",
        "][",
        "[[",
        "a[",
        "a]",
        "](",
        "{{",
        "${",
        "\\u0041",
        "\\",
    ),
    *("--", "--b\r\n", "\r\n--b", "<a>", "<a/>", "<!--", "]]>", "&lt;", "//", "/a", "../", "?a=1"),
    *(
        "utm_source=a&",
        "gclid=",
        "https://",
        "https://a.example/?",
        "@a",
        "a@",
        "a@b.example,",
        "<a@b>",
    ),
    *(
        "T00:00",
        "+00:00",
        "Z",
        "2026-",
        "1 000",
        "k",
        "51-200 ",
        "1\u202f000",
        "10 to ",
        "employees ",
    ),
    *("data_", "q1_", "contact_", "password", "captcha_response", "v1,a ", "AAAA", "a.b.", "=="),
)

# What turns a text into nearly something.
NUMBERS = ("1{}x", "1{}", "-1.{}", "1,000{}x", "1-{}x", "{}1", "1{}k", "{}", ">{}5", "1 to {}x")
ADDRESSES = (
    *(
        "{}@example.com",
        "a@{}",
        "a@{}example.com",
        "a@{}.com",
        "ada{}@example.com",
        "<{}>",
        "a@b.c,{}",
    ),
)
URLS = (
    *(
        "https://{}",
        "https://shop.example/{}",
        "https://shop.example/?{}",
        "https://shop.example/#{}",
    ),
    *(
        "https://shop.example/?utm_source={}",
        "https://shop.example/?{}&utm_source=a",
        "https://shop.example/?utm_source=%{}",
        "//{}",
        "?{}",
    ),
)
TIMES = ("2026-03-02T10:00:00{}", "2026-3-2{}", "176471{}", "{}Z", "2026-03-02 {}")
ANYTHING = ("{}", "{}x", "a{}b", "A{}", "[{}]", "_{}", "({})", '"{}"')
WRAPS = (*NUMBERS, *ADDRESSES, *URLS, *TIMES, *ANYTHING)

_MEANT = (
    (("mail", "user", "anonymous"), ADDRESSES),
    (("employee", "size", "revenue", "seats", "value", "amount", "phone"), NUMBERS),
    (("url", "referrer", "website", "path", "search"), URLS),
    (("time", "sent", "occurred", "modified"), TIMES),
)


def wraps_for(name: str) -> Sequence[str]:
    """What may be put around a text in a field of this name, to look like what it holds."""
    found = (wraps for words, wraps in _MEANT if any(word in name.lower() for word in words))
    return next(found, ANYTHING)


def a_text(random: Random) -> Text:
    """A maker of long texts of one kind."""
    seed = random.getrandbits(32)
    if random.random() < NEAR_MATCHES:
        pattern = random.choice(patterns())
        return lambda size: near_match(pattern, size, Random(seed))
    return run_of(random.choice(random.choice((BLANKS, MARKS, OTHERS, OTHERS, OTHERS))))


def run_of(unit: str) -> Text:
    """Runs of one piece."""
    return lambda size: unit * max(1, size // len(unit))


def wrapped(text: Text, wrap: str) -> Text:
    """The texts with something around them."""
    before, _, after = wrap.partition("{}")
    return lambda size: before + text(size) + after
