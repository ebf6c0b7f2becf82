"""The archive in BigQuery: what Pub/Sub's subscriptions wrote into its tables.

A table has the name of its topic, and a row for each delivery of a message, so a message may have
several rows (https://cloud.google.com/pubsub/docs/bigquery). ``infra/modules/archive`` makes it.
"""

import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby

import msgspec
from msgspec import Struct, field

from warmlead.buses.bigquery_jobs import BigQueryError, BigQueryJobs, Parameter
from warmlead.buses.topology import ARCHIVED, UNDELETABLE
from warmlead.domain.errors import ConfigurationError, UnavailableError
from warmlead.ports import Clock, Message, Published

SPAN_ROWS = 200_000
"""BigQuery sorts about this many rows at a time: one machine of it sorts all rows of a query."""

IDS_TOGETHER = 5_000
"""Limit of messages that one statement deletes; a request may have 10 MB."""

_IN_BUFFER = "streaming buffer"
_NOT_FOUND = 404
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)

_MESSAGE = (
    "UNIX_MICROS(publish_time) AS at_us, message_id, TO_JSON_STRING(attributes) AS attributes, data"
)


class RowSpan(Struct, frozen=True):
    """A span of time, without its end, and how many rows are in it."""

    start: datetime
    end: datetime
    rows: int


class _Dataset(Struct):
    location: str = "US"


class _TableName(Struct, rename="camel"):
    table_id: str


class _Table(Struct, rename="camel"):
    table_reference: _TableName


class _Tables(Struct, rename="camel"):
    tables: list[_Table] = field(default_factory=list)
    next_page_token: str = ""


async def open_archive(
    jobs: BigQueryJobs,
    dataset: str,
    clock: Clock,
    *,
    most_bytes: int,
    topics: Sequence[str] = ARCHIVED,
    span_rows: int = SPAN_ROWS,
) -> "BigQueryArchive | None":
    """The archive in a dataset; ``None`` if there is no such dataset.

    A query may be billed for ``most_bytes`` at most. Raises ``ConfigurationError`` if tables are
    missing or may not be read, ``UnavailableError`` if BigQuery does not answer.
    """
    name = f"{jobs.project}.{dataset}"
    if not re.fullmatch(r"[\w.:-]+", name, re.ASCII):
        raise ConfigurationError.one("WARMLEAD_PROJECT, WARMLEAD_ARCHIVE_DATASET:", "not a name")
    with _in_our_words(name):
        try:
            location = (await jobs.get(f"datasets/{dataset}", _Dataset)).location
        except BigQueryError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        there = {each async for each in _tables(jobs, dataset)}
    tables = {topic: topic.replace("-", "_") for topic in topics}
    if missing := [table for table in tables.values() if table not in there]:
        raise ConfigurationError.one(
            f"The dataset {name} is no archive of Warmlead:",
            f"it has no table {', '.join(missing)}; see docs/operate.md, Archive",
        )
    return BigQueryArchive(
        jobs, name, location, tables, clock, most_bytes=most_bytes, span_rows=span_rows
    )


async def _tables(jobs: BigQueryJobs, dataset: str) -> AsyncIterator[str]:
    query: dict[str, str] = {}
    while True:
        page = await jobs.get(f"datasets/{dataset}/tables", _Tables, **query)
        for each in page.tables:
            yield each.table_reference.table_id
        if not page.next_page_token:
            return
        query = {"pageToken": page.next_page_token}


class BigQueryArchive:
    """The ``Archive`` of the cloud; made by ``open_archive``."""

    def __init__(
        self,
        jobs: BigQueryJobs,
        dataset: str,
        location: str,
        tables: Mapping[str, str],
        clock: Clock,
        *,
        most_bytes: int,
        span_rows: int = SPAN_ROWS,
    ) -> None:
        self._jobs = jobs
        self._dataset = dataset
        self._location = location
        self._tables = dict(tables)
        self._clock = clock
        self._most_bytes = most_bytes
        self._span_rows = span_rows

    async def close(self) -> None:
        """Closes the connections."""
        await self._jobs.close()

    async def read(self, topic: str) -> AsyncIterator[Published]:
        """See ``MessageLog``; those that are written meanwhile may be missing.

        Reads span by span, each sorted by BigQuery: it cannot sort all rows of years in one query.
        """
        if topic not in self._tables:
            return
        for span in spans(await self._hours(topic), self._span_rows):
            between: dict[str, Parameter] = {"start": span.start, "until": span.end}
            sql = (
                f"SELECT {_MESSAGE} FROM {self._table(topic)}"  # noqa: S608  # constants, a checked name
                " WHERE publish_time >= @start AND publish_time < @until"
                " ORDER BY at_us, message_id"
            )
            last = ""
            async for at_us, message_id, attributes, data in self._rows(sql, between):
                if message_id != last:  # copies of one message have one time
                    yield _published(topic, at_us, message_id, attributes, data)
                last = message_id or ""

    async def whole_since(self, topic: str) -> datetime | None:
        """See ``MessageLog``: the time of the earliest row, since whole days are deleted."""
        sql = f"SELECT UNIX_MICROS(MIN(publish_time)) FROM {self._table(topic)}"  # noqa: S608  # as above
        async for (at_us,) in self._rows(sql, {}):
            return None if at_us is None else _from_us(at_us)
        return None

    async def of_leads(self, lead_ids: Collection[str]) -> AsyncIterator[Published]:
        """See ``Archive``; looks through all tables."""
        if not lead_ids:
            return
        of_each = " UNION ALL ".join(
            f"SELECT {number} AS topic, {_MESSAGE} FROM {self._table(topic)}"  # noqa: S608  # as above
            " WHERE JSON_VALUE(attributes, '$.lead_id') IN UNNEST(@lead_ids)"
            for number, topic in enumerate(self._tables)
        )
        sql = f"SELECT * FROM ({of_each}) ORDER BY at_us, message_id, topic"  # noqa: S608  # as above
        topics, last = list(self._tables), ("", "")
        async for number, *message in self._rows(sql, {"lead_ids": sorted(lead_ids)}):
            published = _published(topics[int(number or 0)], *message)
            if (published.topic, published.message_id) != last:
                yield published
            last = (published.topic, published.message_id)

    async def erase(self, messages: Sequence[Published]) -> Sequence[Published]:
        """See ``Archive``; at times BigQuery refuses to delete rows of the last 90 minutes."""
        left: list[Published] = []
        for topic, of_topic in groupby(sorted(messages, key=_by_topic), key=lambda m: m.topic):
            all_of_topic = list(of_topic)
            for at in range(0, len(all_of_topic), IDS_TOGETHER):
                some = all_of_topic[at : at + IDS_TOGETHER]
                if await self._is_deleted(topic, some):
                    continue
                before = self._clock.now() - UNDELETABLE
                old = [each for each in some if each.at < before]
                young = [each for each in some if each.at >= before]
                deleted = not old or await self._is_deleted(topic, old)
                left += young if deleted else some
        return left

    async def _is_deleted(self, topic: str, messages: Sequence[Published]) -> bool:
        """Deletes all rows of messages of one topic; false if BigQuery cannot do it yet."""
        parameters: dict[str, Parameter] = {
            "first": min(each.at for each in messages),
            "last": max(each.at for each in messages),
            "ids": [each.message_id for each in messages],
        }
        sql = (
            f"DELETE FROM {self._table(topic)}"  # noqa: S608  # as above
            " WHERE publish_time BETWEEN @first AND @last AND message_id IN UNNEST(@ids)"
        )
        with _in_our_words(self._dataset):
            try:
                await self._jobs.execute(
                    sql, parameters, location=self._location, most_bytes=self._most_bytes
                )
            except BigQueryError as error:
                if _IN_BUFFER not in error.message:
                    raise
                return False
        return True

    async def _hours(self, topic: str) -> list[RowSpan]:
        sql = (
            "SELECT UNIX_MICROS(TIMESTAMP_TRUNC(publish_time, HOUR)) AS hour_us, COUNT(*) AS n"  # noqa: S608  # as above
            f" FROM {self._table(topic)} GROUP BY hour_us ORDER BY hour_us"
        )
        return [
            RowSpan(start := _from_us(hour_us), start + _HOUR, int(rows or 0))
            async for hour_us, rows in self._rows(sql, {})
        ]

    async def _rows(
        self, sql: str, parameters: Mapping[str, Parameter]
    ) -> AsyncIterator[Sequence[str | None]]:
        with _in_our_words(self._dataset):
            async for row in self._jobs.rows(
                sql, parameters, location=self._location, most_bytes=self._most_bytes
            ):
                yield row

    def _table(self, topic: str) -> str:
        return f"`{self._dataset}.{self._tables[topic]}`"


def spans(hours: Sequence[RowSpan], most: int) -> Iterator[RowSpan]:
    """Joins hours to spans of at most ``most`` rows, of whole days wherever a day has no more.

    A query is billed for the whole of every day that it touches: so days are divided only if they
    must be. A single hour is never divided.
    """
    days: list[RowSpan] = []
    for _, of_day in groupby(hours, key=lambda hour: hour.start.date()):
        days += _joined(list(of_day), most)
    yield from _joined(days, most)


def _joined(parts: Sequence[RowSpan], most: int) -> Iterator[RowSpan]:
    """Neighbours put together as long as they have no more rows than this."""
    current: RowSpan | None = None
    for span in parts:
        if current and current.rows + span.rows <= most:
            current = RowSpan(current.start, span.end, current.rows + span.rows)
            continue
        if current:
            yield current
        current = span
    if current:
        yield current


def _by_topic(published: Published) -> tuple[str, datetime]:
    return published.topic, published.at


def _published(
    topic: str, at_us: str | None, message_id: str | None, attributes: str | None, data: str | None
) -> Published:
    """A row as a message; every column may be empty for BigQuery, or written by somebody else."""
    number = int(at_us or 0)
    given = msgspec.json.decode(attributes or "{}")
    pairs = given.items() if isinstance(given, dict) else ()
    named = {name: text for name, text in pairs if isinstance(text, str)}
    message = Message((data or "").encode(), named)
    return Published(number, message_id or "", topic, _EPOCH + number * _US, message)


def _from_us(at_us: str | None) -> datetime:
    return _EPOCH + int(at_us or 0) * _US


@contextmanager
def _in_our_words(dataset: str) -> Iterator[None]:
    """Makes BigQuery's errors ours."""
    try:
        yield
    except BigQueryError as error:
        raise _ours(error, dataset) from error


def _ours(error: BigQueryError, dataset: str) -> ConfigurationError | UnavailableError:
    project = dataset.rpartition(".")[0]
    if error.is_passing:
        return UnavailableError(f"BigQuery does not answer ({error.message})")
    if error.reason == "quotaExceeded":
        return UnavailableError(f"A quota of BigQuery is used up ({error.message})")
    if error.status == _UNAUTHORIZED:
        problem = "run gcloud auth application-default login again"
        return ConfigurationError.one("BigQuery does not accept the credentials:", problem)
    if error.status == _FORBIDDEN:
        return ConfigurationError(
            f"BigQuery refuses the archive {dataset} ({error.message}). It takes:",
            [
                f"roles/bigquery.jobUser in the project {project}",
                "roles/bigquery.dataViewer on the dataset, to read",
                "roles/bigquery.dataEditor on the dataset, to erase a person",
            ],
        )
    if error.reason == "bytesBilledLimitExceeded":
        problem = f"raise WARMLEAD_ARCHIVE_QUERY_GIB if that is meant ({error.message})"
        return ConfigurationError.one("A query of the archive would cost too much:", problem)
    return UnavailableError(f"BigQuery could not answer ({error.message or error})")


_UNAUTHORIZED, _FORBIDDEN = 401, 403
