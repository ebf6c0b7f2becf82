"""BigQuery's archive: its errors in our words, what cannot be deleted yet, spans of time."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigquery_server import BigQueryServer
from builders import NOW, StandingClock
from contract.messages import bodies, log_of
from destinations.crm_server import Said, Trouble, running
from effort import examples
from warmlead.buses.bigquery import BigQueryArchive, RowSpan, open_archive, spans
from warmlead.buses.bigquery_jobs import BigQueryJobs
from warmlead.buses.topology import ARCHIVED
from warmlead.domain.errors import ConfigurationError, UnavailableError
from warmlead.ports import Message, Published

HOUR = timedelta(hours=1)
TABLES = ["lead_events", "lifecycle", "mql"]
MOST_BYTES = 10_000


@pytest.fixture
def server() -> Iterator[BigQueryServer]:
    with running(BigQueryServer("acme-1", "warmlead_archive", TABLES)) as server:
        server.now = NOW
        yield server


async def opened(
    server: BigQueryServer, dataset: str = "", span_rows: int = 20
) -> BigQueryArchive | None:
    jobs = BigQueryJobs(server.project, address=server.address, patience_s=2)
    dataset = dataset or server.dataset
    try:
        archive = await open_archive(
            jobs, dataset, StandingClock(), most_bytes=MOST_BYTES, span_rows=span_rows
        )
    except (ConfigurationError, UnavailableError):
        await jobs.close()
        raise
    if archive is None:
        await jobs.close()
    return archive


@pytest.fixture
async def archive(server: BigQueryServer) -> AsyncIterator[BigQueryArchive]:
    archive = await opened(server)
    assert archive
    yield archive
    await archive.close()


def of(lead: str, body: str) -> Message:
    return Message(body.encode(), {"lead_id": lead})


async def found(archive: BigQueryArchive, lead: str) -> list[Published]:
    return [each async for each in archive.of_leads([lead])]


# --- opening -----------------------------------------------------------------------------


async def test_a_dataset_that_does_not_exist_is_no_archive(server: BigQueryServer) -> None:
    assert await opened(server, "elsewhere") is None


async def test_a_dataset_without_our_tables_is_refused_by_their_names(
    server: BigQueryServer,
) -> None:
    server.tables.remove("mql")
    with pytest.raises(ConfigurationError, match="no table mql"):
        await opened(server)


async def test_a_name_that_is_none_is_never_asked_for(server: BigQueryServer) -> None:
    with pytest.raises(ConfigurationError, match="not a name"):
        await opened(server, "x` WHERE TRUE --")
    assert server.asked == []


@pytest.mark.parametrize("right", ["read", "run"])
async def test_a_missing_right_names_the_roles_that_it_takes(
    server: BigQueryServer, archive: BigQueryArchive, right: str
) -> None:
    setattr(server.rights, right, False)
    with pytest.raises(ConfigurationError, match=r"bigquery\.jobUser in the project acme-1"):
        await log_of(archive, "lead-events")


async def test_one_who_may_read_but_not_erase_is_told_so(
    server: BigQueryServer, archive: BigQueryArchive
) -> None:
    server.write("mql", [of("ada", "1")], NOW)
    server.rights.edit = False
    with pytest.raises(ConfigurationError, match=r"bigquery\.dataEditor on the dataset, to erase"):
        await archive.erase(await found(archive, "ada"))
    assert server.count("mql") == 1


async def test_a_query_that_would_cost_too_much_costs_nothing(
    server: BigQueryServer, archive: BigQueryArchive
) -> None:
    server.write("lead_events", [of("ada", "x" * (MOST_BYTES + 1))], NOW)
    with pytest.raises(ConfigurationError, match="WARMLEAD_ARCHIVE_QUERY_GIB"):
        await found(archive, "ada")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"code": 403, "errors": [{"reason": "quotaExceeded"}]}, "A quota of BigQuery is used up"),
        ({"code": 400, "errors": [{"reason": "resourcesExceeded"}]}, "BigQuery could not answer"),
        ({"code": 400}, "BigQuery could not answer"),
    ],
)
async def test_what_nobody_can_mend_at_once_is_unavailable(
    server: BigQueryServer, archive: BigQueryArchive, said: dict[str, object], words: str
) -> None:
    status = said["code"]
    assert isinstance(status, int)
    server.troubles.append(Trouble("POST", Said(status, {"error": {"message": "no", **said}})))
    with pytest.raises(UnavailableError, match=words):
        await found(archive, "ada")


async def test_credentials_that_are_not_accepted_are_said_to_be(server: BigQueryServer) -> None:
    server.token = "another"
    with pytest.raises(ConfigurationError, match="does not accept the credentials"):
        await opened(server)


# --- reading -----------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_topic_is_read_span_by_span_and_page_by_page(
    server: BigQueryServer, archive: BigQueryArchive
) -> None:
    server.page_rows = 3
    for day in range(10):
        for number in range(7):
            body = f"{day}.{number}"
            server.write("lead_events", [of("ada", body)], NOW + timedelta(days=day, hours=number))
    log = await log_of(archive, "lead-events")
    assert bodies(log) == [f"{day}.{number}" for day in range(10) for number in range(7)]
    assert len(server.statements) == 1 + 5, "the hours, and two days in each span"


@pytest.mark.parametrize("attributes", [None, "null", "[7]", '"x"', '{"n": 7, "o": {"p": []}}'])
async def test_a_row_that_no_subscription_wrote_costs_no_other(
    server: BigQueryServer, archive: BigQueryArchive, attributes: str | None
) -> None:
    server.write("lead_events", [of("ada", "1")], NOW)
    server.write_oddly("lead_events", NOW + HOUR, attributes)
    server.write("lead_events", [of("ada", "2")], NOW + 2 * HOUR)
    log = await log_of(archive, "lead-events")
    assert bodies(log) == ["1", "", "2"]
    assert [dict(each.message.attributes) for each in log][1] == {}


async def test_the_archive_is_whole_since_its_earliest_row(
    server: BigQueryServer, archive: BigQueryArchive
) -> None:
    assert await archive.whole_since("lead-events") is None
    server.write("lead_events", [of("ada", "1"), of("ada", "2")], NOW - HOUR)
    server.write("lead_events", [of("ada", "3")], NOW)
    server.write("mql", [of("ada", "4")], NOW - 2 * HOUR)
    assert await archive.whole_since("lead-events") == NOW - HOUR


# --- erasing -----------------------------------------------------------------------------


async def test_what_is_still_in_the_buffer_is_left_and_everything_else_deleted(
    server: BigQueryServer, archive: BigQueryArchive
) -> None:
    server.buffers = timedelta(minutes=30)
    server.write("lead_events", [of("ada", "old"), of("bob", "his")], NOW - timedelta(days=3))
    server.write("lead_events", [of("ada", "new")], NOW - timedelta(minutes=5))
    server.write("mql", [of("ada", "old too")], NOW - timedelta(hours=2))
    left = await archive.erase(await found(archive, "ada"))
    assert bodies(left) == bodies(await found(archive, "ada")) == ["new"]
    server.now += timedelta(hours=1)
    assert list(await archive.erase(left)) == []
    assert await found(archive, "ada") == []
    assert bodies(await found(archive, "bob")) == ["his"]


async def test_a_lost_answer_to_a_deletion_is_asked_for_again(
    server: BigQueryServer, archive: BigQueryArchive
) -> None:
    server.write("mql", [of("ada", "1"), of("bob", "2")], NOW, copies=2)
    messages = await found(archive, "ada")
    server.troubles += [Trouble("POST"), Trouble("GET /bigquery/v2/projects/acme-1/queries")]
    assert list(await archive.erase(messages)) == []
    assert server.count("mql") == 2
    assert sum(each.startswith("DELETE") for each in server.statements) == 1


async def test_a_deletion_touches_only_the_days_of_its_messages(
    server: BigQueryServer, archive: BigQueryArchive
) -> None:
    server.write("mql", [of("ada", "1")], NOW)
    await archive.erase(await found(archive, "ada"))
    assert "publish_time BETWEEN @first AND @last" in server.statements[-1]
    assert "ada" not in "".join(server.statements)


# --- spans -------------------------------------------------------------------------------

START = datetime(2026, 1, 1, tzinfo=UTC)


def hours_of(rows: list[int]) -> list[RowSpan]:
    return [RowSpan(START + i * HOUR, START + (i + 1) * HOUR, n) for i, n in enumerate(rows) if n]


@given(st.lists(st.integers(0, 40), max_size=24 * 5))
@settings(max_examples=examples(200))
def test_spans_cover_every_hour_once_and_divide_a_day_only_if_they_must(rows: list[int]) -> None:
    hours, most = hours_of(rows), 100
    made = list(spans(hours, most))
    assert sum(span.rows for span in made) == sum(rows)
    assert all(one.end <= other.start for one, other in pairwise(made))
    for hour in hours:
        (around,) = [s for s in made if s.start <= hour.start and hour.end <= s.end]
        assert around.rows <= most
    for day in {hour.start.date() for hour in hours}:
        of_day = [hour for hour in hours if hour.start.date() == day]
        used = {s for s in made for h in of_day if s.start <= h.start and h.end <= s.end}
        assert len(used) == 1 or sum(hour.rows for hour in of_day) > most


def test_an_hour_of_more_rows_is_one_span() -> None:
    assert list(spans(hours_of([500]), 100)) == hours_of([500])


def test_every_archived_topic_has_a_table_of_its_name() -> None:
    assert [topic.replace("-", "_") for topic in ARCHIVED] == TABLES
