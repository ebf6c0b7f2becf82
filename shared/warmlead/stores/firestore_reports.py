"""Reports, and what they are made of, in Firestore; leads are only read."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from warmlead.domain.lifecycle import Transition
from warmlead.google_api import Interceptors
from warmlead.stores.firestore_calls import PATIENCE_S, FirestoreCalls
from warmlead.stores.firestore_documents import SHARDS, Database, read_move
from warmlead.stores.firestore_queries import Queries

PAGE_MOVES = 500


class FirestoreReportStore:
    """The ``ReportStore`` of a Google Cloud project, in the same database as its leads."""

    def __init__(
        self,
        project: str,
        database: str = "(default)",
        *,
        emulator: str = "",
        interceptors: Interceptors = (),
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._database = Database(project, database)
        self._queries = Queries(self._database)
        self._calls = FirestoreCalls(
            self._database, emulator=emulator, interceptors=interceptors, patience_s=patience_s
        )

    async def moves(
        self, start: datetime, end: datetime | None = None
    ) -> AsyncIterator[tuple[str, Transition]]:
        """See ``ReportStore``; a shard after the other."""
        for shard in range(SHARDS):
            after = None
            while page := await self._calls.query(
                self._queries.moves_by_time(start, end, shard=shard, most=PAGE_MOVES, after=after)
            ):
                for document in page:
                    yield document.fields["lead_id"].string_value, read_move(document)
                after = page[-1]

    async def leads_in(self, stages: Sequence[str]) -> Mapping[str, int]:
        """See ``ReportStore``."""
        counts = await asyncio.gather(
            *(self._calls.count(self._queries.leads_in(stage)) for stage in stages)
        )
        return dict(zip(stages, counts, strict=True))

    async def keep(self, period: str, report: str) -> None:
        """See ``ReportStore``."""
        write = self._database.write_report(period, report)
        await self._calls.patiently(lambda: self._calls.write([write]))

    async def report(self, period: str) -> str | None:
        """See ``ReportStore``."""
        document = await self._calls.get(self._database.report_name(period))
        return None if document is None else str(document.fields["report"].string_value)

    async def close(self) -> None:
        """Closes the connection."""
        await self._calls.close()
