"""BigQuery's REST interface, version 2, as its published description has it: a server on loopback.

https://bigquery.googleapis.com/discovery/v1/apis/bigquery/v2/rest. It runs each query for real, in
DuckDB, after sqlglot has translated it, and fails as BigQuery's pages on errors and quotas say.
Rows are written as a BigQuery subscription of Pub/Sub writes them.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import sqlglot

from destinations.crm_server import Asked, CrmServer, Route, Said, routed
from warmlead.ports import Message

PAGE_TABLES = 2
"""Few, so that a list of tables has several pages."""

_COLUMNS = "subscription_name TEXT, message_id TEXT, publish_time TIMESTAMPTZ, attributes JSON"
_PROJECT = "/bigquery/v2/projects/([a-z0-9-]+)"
_JOB_ID = re.compile(r"[\w-]{1,1024}")
_READS = re.compile(r"(?:FROM|JOIN)\s+`([^`]+)`")
_QUERY_FIELDS = {
    *("query", "useLegacySql", "useQueryCache"),
    *("parameterMode", "queryParameters", "maximumBytesBilled"),
}


@dataclass
class Ran:
    """A job: how often it still says that it runs, and what it ends with."""

    location: str
    polls: int
    error: Said | None = None
    rows: Sequence[tuple[Any, ...]] = ()
    affected: int | None = None


@dataclass
class Rights:
    """What the caller may do."""

    read: bool = True
    edit: bool = True
    run: bool = True


class BigQueryServer(CrmServer):
    """One project with one dataset, in ``location``.

    ``buffers`` is how long a new row cannot be deleted: with BigQuery's old way of streaming.
    ``broken`` are reasons with which the next jobs fail. ``polls`` is how often a job is asked for
    before it has ended. ``page_rows`` limits a page, as BigQuery does by its size.
    """

    def __init__(
        self, project: str, dataset: str, tables: Sequence[str], *, location: str = "europe-west1"
    ) -> None:
        super().__init__()
        self.project, self.dataset, self.location = project, dataset, location
        self.tables = list(tables)
        self.rights = Rights()
        self.token = ""
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.buffers = timedelta(0)
        self.broken: list[str] = []
        self.polls = 1
        self.page_rows = 1_000
        self.statements: list[str] = []
        self.jobs: dict[str, Ran] = {}
        self._written = 0
        self._database = duckdb.connect()
        self._database.execute("SET TimeZone = 'UTC'")
        self._database.execute(f"ATTACH ':memory:' AS \"{project}\"")
        self._database.execute(f'CREATE SCHEMA "{project}"."{dataset}"')
        for table in tables:
            self._database.execute(f"CREATE TABLE {self._named(table)} ({_COLUMNS}, data TEXT)")

    def write(
        self, table: str, messages: Sequence[Message], at: datetime, *, copies: int = 1
    ) -> list[str]:
        """Writes messages as a subscription does, each as often as it is delivered; their ids."""
        ids = [f"{10**16 + self._written + number}" for number in range(len(messages))]
        self._written += len(ids)
        name = f"projects/{self.project}/subscriptions/warmlead-archive-{table}"
        attributes = [json.dumps(dict(message.attributes)) for message in messages]
        bodies = [message.body.decode() for message in messages]
        for _ in range(copies):
            self._database.execute(
                f"INSERT INTO {self._named(table)}"
                " SELECT ?, unnest(?::TEXT[]), ?, unnest(?::TEXT[])::JSON, unnest(?::TEXT[])",
                [name, ids, at, attributes, bodies],
            )
        return ids

    def write_oddly(self, table: str, at: datetime, attributes: str | None = None) -> None:
        """Writes a row as no subscription does, of which little is known."""
        statement = f"INSERT INTO {self._named(table)} (publish_time, attributes) VALUES (?, ?)"
        self._database.execute(statement, [at, attributes])

    def count(self, table: str) -> int:
        """How many rows a table has, copies too."""
        return int(self._one(f"SELECT COUNT(*) FROM {self._named(table)}"))

    def handle(self, asked: Asked) -> Said:
        if self.token and asked.headers.get("authorization") != f"Bearer {self.token}":
            return _error(401, "authError", "Invalid Credentials")
        routes: list[Route] = [
            ("GET", f"{_PROJECT}/datasets/(\\w+)", self._get_dataset),
            ("GET", f"{_PROJECT}/datasets/(\\w+)/tables", self._list_tables),
            ("POST", f"{_PROJECT}/jobs", self._insert_job),
            ("GET", f"{_PROJECT}/queries/([\\w-]+)", self._get_results),
        ]
        return routed(routes, asked) or _error(404, "notFound", f"no method {asked.path}")

    def _get_dataset(self, _: Asked, project: str, dataset: str) -> Said:
        if missing := self._no_dataset(project, dataset):
            return missing
        reference = {"projectId": project, "datasetId": dataset}
        return Said(200, {"datasetReference": reference, "location": self.location})

    def _list_tables(self, asked: Asked, project: str, dataset: str) -> Said:
        if missing := self._no_dataset(project, dataset):
            return missing
        start = int(asked.query.get("pageToken", "0"))
        some = self.tables[start : start + PAGE_TABLES]
        names = [{"projectId": project, "datasetId": dataset, "tableId": each} for each in some]
        page: dict[str, Any] = {"totalItems": len(self.tables)}
        if some:
            page["tables"] = [{"kind": "bigquery#table", "tableReference": each} for each in names]
        if start + PAGE_TABLES < len(self.tables):
            page["nextPageToken"] = str(start + PAGE_TABLES)
        return Said(200, page)

    def _no_dataset(self, project: str, dataset: str) -> Said | None:
        if (project, dataset) != (self.project, self.dataset):
            return _error(404, "notFound", f"Not found: Dataset {project}:{dataset}")
        if not self.rights.read:
            return _denied(f"Dataset {project}:{dataset}: permission bigquery.datasets.get denied")
        return None

    def _insert_job(self, asked: Asked, project: str) -> Said:
        reference, query = asked.json["jobReference"], asked.json["configuration"]["query"]
        assert reference.keys() == {"projectId", "jobId", "location"}
        assert query.keys() <= _QUERY_FIELDS, "a field that is not used would be ignored here"
        assert _JOB_ID.fullmatch(reference["jobId"])
        if not self.rights.run:
            return _denied(f"Project {project}: User does not have bigquery.jobs.create permission")
        if reference["jobId"] in self.jobs:
            return _error(409, "duplicate", f"Already Exists: Job {reference['jobId']}")
        ran = Ran(reference["location"], self.polls)
        self.jobs[reference["jobId"]] = ran
        self.statements.append(query["query"])
        ran.error = self._problem(query, reference["location"])
        if not ran.error:
            self._execute(query, ran)
        return Said(200, {"jobReference": reference, "status": {"state": "RUNNING"}})

    def _problem(self, query: dict[str, Any], location: str) -> Said | None:
        """Why a query fails before it has begun."""
        if self.broken:
            return _error(400, self.broken.pop(0), "The job encountered an internal error")
        places = _READS.findall(query["query"])
        for place in places:
            project, dataset, table = place.split(".")
            known = location == self.location and project == self.project
            if not known or dataset != self.dataset or table not in self.tables:
                return _error(404, "notFound", f"Not found: Table {place} in location {location}")
            if not self.rights.read:
                return _denied(f"Table {place}: permission bigquery.tables.getData denied")
        if query["query"].startswith("DELETE") and not self.rights.edit:
            return _denied(f"Table {places[0]}: permission bigquery.tables.updateData denied")
        if self._bytes(places) > int(query.get("maximumBytesBilled", 2**63)):
            return _error(400, "bytesBilledLimitExceeded", "Query exceeded limit for bytes billed")
        return None

    def _bytes(self, places: Sequence[str]) -> int:
        sizes = [
            self._one(f"SELECT SUM(LENGTH(data)) FROM {self._named(place.split('.')[2])}") or 0
            for place in places
        ]
        return int(sum(sizes))

    def _execute(self, query: dict[str, Any], ran: Ran) -> None:
        assert query["useLegacySql"] is False
        assert query["parameterMode"] == "NAMED"
        (tree,) = sqlglot.parse(query["query"], read="bigquery")
        assert tree is not None
        values = {each["name"]: _value(each) for each in query["queryParameters"]}
        if isinstance(tree, sqlglot.exp.Delete) and self._is_buffered(tree, values):
            place = _READS.findall(query["query"])[0]
            ran.error = _error(
                400,
                "invalidQuery",
                f"UPDATE or DELETE statement over table {place} would affect rows in the streaming"
                " buffer, which is not supported",
            )
            return
        found = self._database.execute(tree.sql(dialect="duckdb"), values).fetchall()
        if isinstance(tree, sqlglot.exp.Delete):
            ran.affected = int(found[0][0])
        else:
            ran.rows = found

    def _is_buffered(self, tree: sqlglot.exp.Delete, values: dict[str, Any]) -> bool:
        if not self.buffers:
            return False
        young = sqlglot.select("COUNT(*)").from_(tree.this).where(tree.args["where"].this)
        sql = f"{young.sql(dialect='duckdb')} AND publish_time > $_since"
        found = self._database.execute(sql, {**values, "_since": self.now - self.buffers})
        row = found.fetchone()
        return bool(row and row[0])

    def _get_results(self, asked: Asked, _: str, job_id: str) -> Said:
        ran = self.jobs.get(job_id)
        if ran is None or asked.query.get("location") != ran.location:
            return _error(404, "notFound", f"Not found: Job {job_id}")
        if ran.polls > 0:
            ran.polls -= 1
            return Said(200, {"jobComplete": False})
        if ran.error:
            return ran.error
        start = int(asked.query.get("pageToken", "0"))
        most = min(self.page_rows, int(asked.query.get("maxResults", "100000")))
        some = ran.rows[start : start + most]
        page: dict[str, Any] = {"jobComplete": True, "totalRows": str(len(ran.rows))}
        if ran.affected is not None:
            page["numDmlAffectedRows"] = str(ran.affected)
        if some:
            page["rows"] = [{"f": [{"v": _text(value)} for value in row]} for row in some]
        if start + most < len(ran.rows):
            page["pageToken"] = str(start + most)
        return Said(200, page)

    def _named(self, table: str) -> str:
        return f'"{self.project}"."{self.dataset}"."{table}"'

    def _one(self, sql: str) -> Any:
        row = self._database.execute(sql).fetchone()
        return row[0] if row else None


def _text(value: object) -> str | None:
    """A value in JSON: BigQuery writes numbers as texts too."""
    return None if value is None else str(value)


def _value(parameter: dict[str, Any]) -> Any:
    kind, given = parameter["parameterType"], parameter["parameterValue"]
    if kind["type"] == "TIMESTAMP":
        return datetime.fromisoformat(given["value"])
    assert kind == {"type": "ARRAY", "arrayType": {"type": "STRING"}}
    return [each["value"] for each in given["arrayValues"]]


def _denied(message: str) -> Said:
    return _error(403, "accessDenied", f"Access Denied: {message}")


def _error(status: int, reason: str, message: str) -> Said:
    """An error as Google's JSON interfaces write it."""
    detail = {"message": message, "domain": "global", "reason": reason}
    return Said(status, {"error": {"code": status, "message": message, "errors": [detail]}})
