"""What forms call the standard traits: in labels, and in lists of labelled answers."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from warmlead.domain.event import snake_case
from warmlead.domain.text import PLAIN
from warmlead.senders import label_words

_PLAIN = str.maketrans(dict(PLAIN))


def key_of(name: str) -> str:
    """A name without case, accents, blanks and signs. The caller has looked at its length."""
    if name.isascii():
        return "".join(filter(str.isalnum, name.lower()))
    apart = unicodedata.normalize("NFKD", name.casefold()).translate(_PLAIN)
    return "".join(c for c in apart if c.isalnum() or _is_vowel(c))


def _is_vowel(letter: str) -> bool:
    """Vowel signs of Indic scripts make different names; accents do not."""
    return not unicodedata.combining(letter) and unicodedata.category(letter) in ("Mn", "Mc")


_LONGEST_SALUTATION = 40
_QUESTION = 3
"""The most digits of a numbered question such as ``q4``."""

_MOST_PARTS = 4
"""A label of more parts is a sentence."""

_NUMBERED = re.compile(r"[\s(（]*(?:[QqＱ]?[0-9０-９]{1,3}[.)．）、:：]|[①-⑳])\s*")
_DIVIDERS = re.compile(r"[/／|｜・·,，、;；\n()（）【】〔〕《》]|\s[-–—]\s|[.!?]\s")
_AROUND = " \t\r\n*＊※:：?？!！.。・·-–—●■◆[]「」"
_PARTICLES = tuple(map(key_of, ("の", "的", "의")))
_WHOLE_NAMES = frozenset(("first_name", "last_name", "name"))


@cache
def _latin() -> MappingProxyType[str, str]:
    return MappingProxyType(
        {
            spelling: trait
            for trait, text in label_words.SPELLINGS.items()
            for spelling in text.split()
        }
    )


@cache
def _others() -> MappingProxyType[str, str]:
    """Built for the first label of another script."""
    return MappingProxyType(
        {key: trait for trait, text in label_words.OTHER_SCRIPTS.items() for key in _keys(text)}
    )


@cache
def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


@cache
def _keys(text: str) -> tuple[str, ...]:
    """The keys of phrases that ``|`` divides, the longest first."""
    return tuple(sorted(filter(None, map(key_of, text.split("|"))), key=len, reverse=True))


def name_of_label(label: str) -> str | None:
    """The flat name that a label means; ``None`` if its own words are its name.

    ``メールアドレス（必須）`` is ``email``, ``勤務先メールアドレス`` is ``work_email``. Of a label
    of several parts, such as ``役職・職種``, ``Land/Region`` and ``Email / Courriel``, each part
    has to mean the same: ``Name / Firma`` is neither. A greeting is no part: ``Hi! Your name?``
    """
    if found := _of_other_script(label):
        return found
    parts = _DIVIDERS.split(label, _MOST_PARTS)
    if len(parts) == 1 or len(parts) > _MOST_PARTS or trait_of_name(snake_case(label)):
        return None
    return _agreed([part for part in map(_bare, parts) if part and not _says_nothing(part)])


def _agreed(parts: Sequence[str]) -> str | None:
    """The name that all parts mean; for a country and its region that of the country."""
    names = [_of_other_script(part) or snake_case(part) for part in parts]
    traits = [trait_of_name(name) for name in names]
    kinds = set(traits)
    if not traits or None in kinds:
        return None
    if len(kinds) > 1 and kinds <= _WHOLE_NAMES:
        return "name"
    for wanted, others in (("country", {"region"}), ("email", {"phone"})):
        if kinds == {wanted, *others}:
            return names[traits.index(wanted)]
    return names[0] if len(kinds) == 1 else None


def _bare(part: str) -> str:
    numbered = _NUMBERED.match(part)
    return (part[numbered.end() :] if numbered else part).strip(_AROUND)


def _says_nothing(part: str) -> bool:
    words = snake_case(part)
    return (
        words in _set(label_words.GREETINGS)
        or key_of(part) in _keys(label_words.REQUIRED)
        or all(word in _set(label_words.AFTER) for word in words.split("_"))
    )


def _of_other_script(label: str) -> str | None:
    """The name that a label in another script means, without the words around it."""
    if label.isascii():
        return None
    key = key_of(_bare(label))
    return next((found for one in _cores(key) if (found := _named_by(one))), None)


def _cores(key: str) -> Iterable[str]:
    """The key, and the key without polite words and marks of a required field."""
    yield key
    required = _keys(label_words.REQUIRED)
    if (core := _without(_without(key, required), required)) != key:
        yield core
    if (plain := _without_start(core, _keys("|".join(label_words.POLITE)))) != core:
        yield plain


def _named_by(key: str) -> str | None:
    if trait := _others().get(key):
        return trait
    for words, prefix, traits in (
        (_keys(label_words.OTHERS_AT_WORK), "work", ("email", "phone")),
        (_keys(label_words.OTHERS_OF_COMPANY), "company", ("email",)),
    ):
        rest = _without(key, words)
        if rest != key and (trait := _others().get(rest)) in traits:
            return f"{prefix}_{trait}"
    return None


def _without(key: str, words: tuple[str, ...]) -> str:
    """The key without the longest of the words at its beginning, else at its end."""
    if key.startswith(words):
        return _without_start(key, words)
    if not key.endswith(words):
        return key
    return next(key[: -len(word)] for word in words if key.endswith(word))


def _without_start(key: str, words: tuple[str, ...]) -> str:
    if not key.startswith(words):
        return key
    rest = key[len(next(word for word in words if key.startswith(word))) :]
    return rest[next((len(one) for one in _PARTICLES if rest.startswith(one)), 0) :]


class Meaning(Struct, frozen=True):
    """The meaning of a name: the trait, its group, and how surely it is the person's own.

    ``group`` is the beginning of the name up to the trait, with the ``_`` behind it. ``rank`` is 0
    for a plain name, 1 for another of the person's own, such as one at work, and 2 for one that
    may belong to a company or to a user of the sending tool.
    """

    trait: str
    group: str
    rank: int


def trait_of_name(name: str) -> str | None:
    """The trait that a name in snake_case means; ``None`` for an unknown one.

    Words without a meaning are skipped: ``what_is_your_email``, ``fields_email_value``.
    """
    meaning = meaning_of_name(name)
    return meaning.trait if meaning else None


def meaning_of_name(name: str) -> Meaning | None:
    """What a name in snake_case means; ``None`` for an unknown one."""
    words = name.split("_")
    found = _meaning(words)
    bare = words[-1].rstrip("0123456789")
    if found or not bare or len(words[-1]) - len(bare) not in (1, 2):
        return found
    return _meaning([*words[:-1], bare])  # Jotform's q3_email3


def _meaning(words: Sequence[str]) -> Meaning | None:
    starts = list(_starts(words))
    for start in starts:
        for end in _ends(words, grouped=start > 0):
            if found := _latin().get(spelling := "_".join(words[start:end])):
                rank = int(
                    spelling.startswith("reply") or spelling in _set(label_words.WORK_EMAILS)
                )
                return Meaning(found, _group(words[:start]), rank)
    start = starts[-1]
    return _of_work(words[start : min(_ends(words, grouped=True))], _group(words[:start]))


def _group(words: Sequence[str]) -> str:
    return "".join(f"{word}_" for word in words)


def origin_of_name(name: str, origins: Collection[str]) -> str | None:
    """The name among ``origins`` that a grouped name holds: ``form_fields_utm_source_value``."""
    if name in origins:
        return name
    words = name.split("_")
    start = 0
    while start < len(words) - 1 and (
        words[start] in _set(label_words.BEFORE) | _set(label_words.AROUND_ORIGINS)
        or _is_question(words[start])
    ):
        start += 1
    end = len(words) - 1 if words[-1] == "value" else len(words)
    # A group may be called like the first word of an origin: ``page`` of ``page_url``.
    for first in range(start, max(start - 3, -1), -1):
        if (found := "_".join(words[first:end])) in origins:
            return found
    return None


def is_salutation(text: str, *, may_be_a_name: bool = True) -> bool:
    """Whether a text is a form of address, such as ``Mr``, which forms also call a title.

    ``may_be_a_name=False`` leaves out those that are names as well: Pan, Bay and M.
    """
    if len(text) > _LONGEST_SALUTATION:
        return False
    bare = text.strip().rstrip(".").casefold()
    if may_be_a_name or text.strip().endswith("."):
        return bare in _set(label_words.SALUTATIONS)
    return bare in _set(label_words.SALUTATIONS_ONLY)


def _starts(words: Sequence[str]) -> list[int]:
    """Where the name may begin: at its first word, and behind each word without a meaning."""
    starts = [0]
    while (at := starts[-1]) < len(words) - 1:
        if "_".join(words[at : at + 2]) in _set(label_words.BEFORE_IN_TWO):
            starts.append(at + 2)
        elif words[at] == "field" and words[at + 1].isdecimal() and at + 2 < len(words):
            starts.append(at + 2)  # "1. Email"
        elif words[at] in _set(label_words.BEFORE) or _is_question(words[at]):
            starts.append(at + 1)
        else:
            break
    return starts


def _is_question(word: str) -> bool:
    return word[:1] == "q" and word[1:].isdecimal() and len(word) <= 1 + _QUESTION


def _ends(words: Sequence[str], *, grouped: bool) -> list[int]:
    """Where the name may end. Only in groups, ``fields[email][value]``, is ``value`` left out."""
    ends = [len(words)]
    while ends[-1] > 1:
        last = words[ends[-1] - 1]
        counts = last.isdecimal() and len(last) <= 2  # noqa: PLR2004  # Email 2, Email-10
        is_custom = last == "c"  # Salesforce's mark of fields that are not its own
        if not (
            counts or is_custom or last in _set(label_words.AFTER) or (grouped and last == "value")
        ):
            break
        ends.append(ends[-1] - 1)
    return ends


def _of_work(words: Sequence[str], group: str) -> Meaning | None:
    """An address or a telephone at work, or another one of the person's own."""
    first, last = 0, len(words)
    of_company = of_site = False
    while first < last and words[first] in (
        _set(label_words.IN_WORK) | _set(label_words.OF_COMPANY)
    ):
        of_company |= words[first] in _set(label_words.OF_COMPANY)
        of_site |= words[first] in _set(label_words.OF_SITE)
        first += 1
    while first < last and words[last - 1] in (
        _set(label_words.IN_WORK) | _set(label_words.OF_COMPANY_AFTER)
    ):
        of_company |= words[last - 1] in _set(label_words.OF_COMPANY_AFTER)
        of_site |= words[last - 1] in _set(label_words.OF_SITE)
        last -= 1
    found = _latin().get("_".join(words[first:last]))
    if found == "email" or (found == "phone" and not of_company):
        return Meaning(found, group, 2 if of_company or of_site else 1)
    return None


MAX_UNDERSTOOD = 500
"""The most records of an item whose labels are looked up; later ones go by their first label."""

MAX_LABEL = 200
MAX_LABELS = 3
"""The most labels of a record that are looked up."""

_LABELS = ("label", "question", "title", "column_name", "name", "column_id", "key", "ref")
_VALUES = ("value", "values", "string_value", "answer", "text")
_VALUES_ALONE = (*_VALUES, "address", "email", "email_address", "phone_number", "phone", "number")
_SEVERAL = {
    "emails": "email",
    "email_addresses": "email",
    "phones": "phone",
    "phone_numbers": "phone",
}
_KINDS = ("email", "phone_number", "phone", "tel")
_MISSING = object()


class Unfolded(Struct, frozen=True):
    """A name, and what it holds: a group of fields by label, a list of values, or a value."""

    name: str
    value: Any


class Answers:
    """Unfolds the lists of one item. All work is linear in their size."""

    def __init__(self, field_name: Callable[[str], str]) -> None:
        self._field_name = field_name
        self._room = MAX_UNDERSTOOD

    def unfolded(self, name: str, records: list[Any], group: Mapping[str, Any]) -> Unfolded | None:
        """A list of records as fields; ``None`` for any other list.

        ``name`` is its flat name in its own ``group``, which may hold the titles of its questions.
        """
        if not all(isinstance(record, dict) for record in records):
            return None
        if name in _SEVERAL or trait_of_name(name) in ("email", "phone"):
            return _alone(_SEVERAL.get(name, name), records)
        titles = _titles(group.get("definition"))
        fields: dict[str, Any] = {}
        for record in records:
            labels, value = labels_of(record, titles), _value(record)
            if not labels or value is _MISSING:
                return None
            label = self._label(labels, record)
            if fields.get(label) in (None, "", []):
                fields[label] = value
        return Unfolded(name, fields)

    def value_of_field(self, name: str, record: Mapping[str, Any]) -> Unfolded | None:
        """The value of a field that a form builder describes by id, type and title.

        Elementor's webhook: ``fields[email][title]``, ``fields[email][value]``. ``None`` for any
        other field. A known name of its own goes before its title.
        """
        said = (record.get("title"), record.get("id"), record.get("type"))
        if "value" not in record or not all(isinstance(one, str) for one in said):
            return None
        labels = [name, *labels_of(record, {})]
        return Unfolded(self._label(labels, record), record["value"])

    def _label(self, labels: list[str], record: Mapping[str, Any]) -> str:
        """The first known label; else the kind, if that is an email or a telephone; else the first.

        Labels of other scripts are known once they are field names.
        """
        if self._room <= 0:
            return labels[0]
        self._room -= 1
        known = (one for one in labels[:MAX_LABELS] if trait_of_name(self._field_name(one)))
        return next(known, None) or _kind(record) or labels[0]


_LABELLED = frozenset((*_LABELS, "field"))


def labels_of(record: Mapping[str, Any], titles: Mapping[str, str]) -> list[str]:
    """The labels of a record; the words that people see come first."""
    if record.keys().isdisjoint(_LABELLED):  # a list may hold tens of thousands of these
        return []
    field = record.get("field")
    inner = field if isinstance(field, dict) else {}
    title = titles.get(inner["id"]) if isinstance(inner.get("id"), str) else None
    asked = (inner.get("title"), inner.get("ref"), inner.get("id"))
    texts: Iterable[object] = (title, *(record.get(name) for name in _LABELS), *asked)
    return [text[:MAX_LABEL] for text in texts if isinstance(text, str) and text.strip()]


def _titles(definition: object) -> dict[str, str]:
    """Typeform's questions by their ids; the answers hold the ids alone."""
    fields = definition.get("fields") if isinstance(definition, dict) else None
    questions = fields[:MAX_UNDERSTOOD] if isinstance(fields, list) else []
    return {
        one["id"]: one["title"]
        for one in questions
        if isinstance(one, dict)
        and isinstance(one.get("id"), str)
        and isinstance(one.get("title"), str)
    }


def _kind(record: Mapping[str, Any]) -> str | None:
    """``email`` of Typeform's type ``email`` and Tally's ``INPUT_EMAIL``."""
    stated = record.get("type")
    kind = stated[:MAX_LABEL].lower().removeprefix("input_") if isinstance(stated, str) else ""
    return kind if kind in _KINDS else None


def _value(record: Mapping[str, Any]) -> Any:  # noqa: ANN401  # whatever JSON holds
    kind = record.get("type")
    names = (*_VALUES, kind) if isinstance(kind, str) else _VALUES
    found = next((record[name] for name in names if name in record), _MISSING)
    if isinstance(found, dict):  # Typeform's choices
        found = next((found[name] for name in ("label", "labels") if name in found), found)
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def _alone(name: str, records: list[Any]) -> Unfolded | None:
    """A list of addresses or telephones, the primary ones first."""
    ordered = sorted(records, key=lambda record: record.get("primary") is not True)
    values = [
        next((record[name] for name in _VALUES_ALONE if name in record), _MISSING)
        for record in ordered
    ]
    scalars = (value is not _MISSING and not isinstance(value, dict | list) for value in values)
    return Unfolded(name, values) if all(scalars) else None
