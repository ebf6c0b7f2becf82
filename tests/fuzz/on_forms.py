"""Attacks on forms: in each encoding, with long texts, and with far too many fields."""

from random import Random
from urllib.parse import quote

from fuzz.long import WRAPS, Text, wrapped
from fuzz.sent import Sent
from fuzz.shapes import TEXT_BYTES, TRAITS, any_wrap, encoded, in_json, posted, within

_URLENCODED = "application/x-www-form-urlencoded"


def _form(body: bytes, content_type: str) -> Sent:
    return posted("forms", b"/generic/contact", body, content_type)


def _pairs(random: Random, text: Text, size: int) -> list[tuple[str, str]]:
    """Fields of a form, some with the text as their values, some as their names."""
    names = random.sample(TRAITS, random.choice((1, 3, len(TRAITS))))
    each = min(size // len(names), random.choice((TEXT_BYTES, size)))
    pairs = [(name, within(any_wrap(random, text, name), each)) for name in names]
    if random.random() < 0.3:
        pairs = [(value, name) for name, value in pairs]
    return [("email", "ada@example.com"), *pairs]


def as_urlencoded(random: Random, text: Text, size: int) -> Sent:
    pairs = _pairs(random, text, size // 3)
    if random.random() < 0.3:  # as it is, with whatever it means there
        return _form(encoded("&".join(f"{name}={value}" for name, value in pairs)), _URLENCODED)
    quoted = (
        f"{quote(name, safe='[]', errors='surrogatepass')}={quote(value, errors='surrogatepass')}"
        for name, value in pairs
    )
    return _form("&".join(quoted).encode(), _URLENCODED)


def as_text_plain(random: Random, text: Text, size: int) -> Sent:
    lines = (f"{name}={value}" for name, value in _pairs(random, text, size))
    charset = random.choice(("", "; charset=latin1", "; charset=utf-8"))
    return _form(encoded("\r\n".join(lines)), f"text/plain{charset}")


def as_multipart(random: Random, text: Text, size: int) -> Sent:
    more = within(text, random.choice((0, 0, size // 4))).replace("\r", " ").replace("\n", " ")
    where = random.choice(
        ('; name="a{}"', '; filename="{}"', "; filename*=utf-8''{}", "; {}", "\r\nx: {}")
    )
    parts = (
        f'--b\r\nContent-Disposition: form-data; name="{name}"{where.format(more)}'
        f"\r\n\r\n{value}\r\n"
        for name, value in _pairs(random, text, size // 2)
    )
    return _form(encoded("".join((*parts, "--b--\r\n"))), "multipart/form-data; boundary=b")


def as_submissions(random: Random, text: Text, size: int) -> Sent:
    """A list of submissions: the same text in the same fields, each time as something else."""
    names = random.sample(TRAITS, 4)
    each = max(8, min(TEXT_BYTES, size // (len(WRAPS) * len(names))))
    items = [
        {"email": "ada@example.com", "a": number}
        | {name: within(wrapped(text, wrap), each) for name in names}
        for number, wrap in enumerate(WRAPS)
    ]
    return _form(in_json(items), "application/json")


def many_fields(random: Random, text: Text, size: int) -> Sent:
    unit = random.choice(("a&", "a=1&", "a[]=1&", "a[b]=1&", "&", "=&", "%61=%62&", "a=1;", "{}=&"))
    counted = random.random() < 0.5
    one = unit.replace("{}", text(3))
    many = (
        "".join(f"{i}{one}" for i in range(size // (len(one) + 4)))
        if counted
        else one * (size // len(one))
    )
    return _form(encoded("email=ada@example.com&" + many), _URLENCODED)


def many_lines(random: Random, text: Text, size: int) -> Sent:
    unit = random.choice(
        ("\n", "\r\n", "a\n", "a=1\n", "=\n", "\n=", "\r", "\u2028", "\x1c", text(4) or " ")
    )
    begun = random.choice(("a=1\n", "email=ada@example.com\n", ""))
    return _form(encoded(begun + within(lambda n: unit * (n // len(unit)), size)), "text/plain")


def many_parts(random: Random, text: Text, size: int) -> Sent:
    boundary = random.choice(("b", "-" * 60, "b" * 70))
    unit = random.choice(
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n',
            f"--{boundary}\r\n\r\n\r\n",
            f"\r\n--{boundary[:-1]}",
            f"--{boundary}",
            f'--{boundary}\r\nContent-Disposition: form-data; name="a"{"; b=c" * 50}\r\n\r\n\r\n',
            f"--{boundary}\r\n{'a: b' + chr(13) + chr(10):s}" * 1,
            "a: b\r\n",
            text(6) or "-",
        )
    )
    first = f'--{boundary}\r\nContent-Disposition: form-data; name="email"\r\n\r\na@b.example\r\n'
    body = first + unit * max(1, (size - len(first)) // len(unit)) + f"\r\n--{boundary}--\r\n"
    return _form(encoded(body), f"multipart/form-data; boundary={boundary}")


def bracketed(random: Random, text: Text, size: int) -> Sent:
    unit = random.choice(("[a]", "[]", "[a", "a]", "][", "[[a]]", f"[{text(2)}]"))
    name = "a" + unit * (min(size, random.choice((60, 3_000, size))) // (len(unit) + 1))
    line = f"{name}={name[:20]}"
    return _form(encoded("&".join([line] * max(1, min(150, size // len(line))))), _URLENCODED)
