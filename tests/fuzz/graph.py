"""Stands for the APIs from which senders fetch leads: no campaign asks Meta or LinkedIn itself.

What it hands out is a lead of the fixtures, and now and then an odd one.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from random import Random
from typing import Any

from fuzz.corpus import fixtures
from fuzz.on_bodies import Tree, odd_keys, odd_values, places_in, wrong_types
from fuzz.shapes import encoded
from warmlead.ports import Fetched
from warmlead.senders import fetched
from warmlead.senders.linkedin_leads.source import API
from warmlead.senders.registry import by_name, section_name

META, LINKEDIN = "meta_leads", "linkedin_leads"
SECTIONS = [section_name(by_name(name)) for name in (META, LINKEDIN)]
ODD = 0.5
"""The share of leads that are changed."""

GONE = 0.1
"""The share of ids of which there is no lead."""


class OddGraph:
    """Hands out a lead for any address: always the same one for the same address."""

    async def get(self, address: str, headers: Mapping[str, str]) -> Fetched:  # noqa: ARG002  # a fetcher has them
        """A lead, odd or not, or that there is none."""
        random = Random(address.partition("?")[0])
        if random.random() < GONE:
            return Fetched(404, b'{"error": {"code": 100}}')
        leads = _leads(LINKEDIN if address.startswith(API) else META)
        tree = Tree(json.loads(json.dumps(random.choice(leads))), frozenset(), random, leads)
        if random.random() < ODD:
            random.choice((odd_values, odd_keys, wrong_types))(tree)
        text = json.dumps(tree.root, ensure_ascii=random.random() < 0.5)
        return Fetched(200, encoded(tree.as_written(text)))


def stand_in() -> None:
    """Lets senders that are made from now on ask the stand-in, in this process."""
    vars(fetched)["HttpFetcher"] = OddGraph


@cache
def _leads(sender: str) -> list[Any]:
    return list(_leads_in_fixtures(sender))


def _leads_in_fixtures(sender: str) -> Iterator[Any]:
    for sent in fixtures(name=sender):
        for container, key in places_in(json.loads(sent.body) if sent.body else {}):
            if key == fetched.LEAD and isinstance(container[key], dict):
                yield container[key]
