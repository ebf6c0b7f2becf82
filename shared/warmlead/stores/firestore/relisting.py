"""Has leads of earlier releases evaluated, so that lists hold them.

Nothing finds a document by a field that it lacks. So all leads are gone through once, and a
document of its own keeps how far that has come.
"""

from warmlead.google_api import Message
from warmlead.ports import Evaluating, Until
from warmlead.stores.firestore.client import FirestoreCalls
from warmlead.stores.firestore.codec import Database, Queries, Write

UPKEEP = "upkeep"
_LISTS = "lists-1"
"""Another number when lists are to hold what leads of this release lack."""

_END = "~"
"""Behind the ids of all leads."""


async def relist(
    calls: FirestoreCalls, database: Database, evaluate: Evaluating, *, most: int, until: Until
) -> bool:
    """See ``LeadStore``; reads one document if all leads were gone through."""
    queries = Queries(database)
    kept = await calls.get(_name(database))
    after = kept.fields["after"].string_value if kept else ""
    while after != _END:
        if until():
            return False
        page = await calls.query(queries.leads_unlisted(most, after=after))
        ids = [document.name.rpartition("/")[2] for document in page]
        unlisted = [id_ for id_, each in zip(ids, page, strict=True) if "active" not in each.fields]
        if unlisted:
            await evaluate(unlisted)
        after = ids[-1] if len(ids) == most else _END
        write = written_place(database, after)
        await calls.patiently(lambda: calls.write([write]))  # noqa: B023  # awaited at once
    return True


def written_place(database: Database, after: str = _END) -> Message:
    """Writes behind which lead to go on; behind all of them, unless it is given."""
    write = Write()
    write.update.name = _name(database)
    write.update.fields["after"].string_value = after
    return write


def _name(database: Database) -> str:
    return f"{database.documents}/{UPKEEP}/{_LISTS}"
