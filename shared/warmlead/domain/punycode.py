"""A label of a domain name as the DNS has it (IDNA 2008, RFC 5891), at little cost a letter.

Whether a label is valid the package ``idna`` says, letter by letter; most labels are letters of
one direction, of which no more must be asked.
"""

from bisect import bisect_left
from functools import lru_cache
from unicodedata import bidirectional, category

MOST_LETTERS = 59
"""A label with a letter beyond ASCII has 63 in ASCII: four for ``xn--``, and one for each."""

_DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789"
_BASE, _LEAST, _MOST, _SKEW, _DAMP, _BIAS, _FIRST = 36, 1, 26, 38, 700, 72, 128
_REMEMBERED = 8_192


def a_label(label: str) -> str:
    """The label in ASCII; raises ``UnicodeError`` if it is none.

    It is mapped by UTS 46 and in form C, and has some letter beyond ASCII.
    """
    import idna  # noqa: PLC0415  # few domains need it, and it costs a cold start 40 ms

    if len(label) > MOST_LETTERS:
        raise UnicodeError("the label is too long")
    if not runs_one_way(label):
        idna.check_label(label)
    return f"xn--{_punycode(label)}"


def runs_one_way(label: str) -> bool:
    """Whether all of a label in form C are letters that may stand anywhere, and run one way.

    Such a label is valid, and UTS 46 maps it to itself.
    """
    ways = set(map(_direction, label))
    return len(ways) == 1 and "" not in ways


@lru_cache(maxsize=_REMEMBERED)
def _direction(letter: str) -> str:
    """Where a letter runs that may stand anywhere in a label; empty for all others."""
    import idna  # noqa: PLC0415  # see above

    way = {"L": "L", "R": "R", "AL": "R"}.get(bidirectional(letter), "")
    if "0" <= letter <= "9":
        return "L"
    if not way or category(letter).startswith("M"):
        return ""
    try:
        idna.check_label(letter)
    except UnicodeError:  # it is none, or depends on those around it
        return ""
    return way


def _punycode(label: str) -> str:
    """The label in the encoding of RFC 3492."""
    handled: list[int] = []
    written: list[str] = []
    others: list[tuple[str, int]] = []
    for place, letter in enumerate(label):
        if letter.isascii():
            handled.append(place)
            written.append(letter)
        else:
            others.append((letter, place))
    if written:
        written.append("-")
    code, next_index, count = _FIRST, 0, len(handled)
    bias, damp = _BIAS, _DAMP
    for letter, place in sorted(others):
        point, index = ord(letter), bisect_left(handled, place)
        delta = (point - code) * (count + 1) + index - next_index
        handled.insert(index, place)
        count, code, next_index = count + 1, point, index + 1
        left, most = delta, _BASE - bias
        while True:  # a number of variable length: section 3.3
            threshold = most if _LEAST <= most <= _MOST else _LEAST if most < _LEAST else _MOST
            if left < threshold:
                written.append(_DIGITS[left])
                break
            left, rest = divmod(left - threshold, _BASE - threshold)
            written.append(_DIGITS[threshold + rest])
            most += _BASE
        bias, damp = _adapted(delta // damp, count), 2
    return "".join(written)


def _adapted(delta: int, letters: int) -> int:
    """The bias for the next number (section 6.1)."""
    delta += delta // letters
    bias = 0
    while delta > (_BASE - _LEAST) * _MOST // 2:
        delta //= _BASE - _LEAST
        bias += _BASE
    return bias + (_BASE - _LEAST + 1) * delta // (delta + _SKEW)
