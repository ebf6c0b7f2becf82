"""The archive beside a backend: the bus's own on one machine, BigQuery's in the cloud."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from warmlead.buses.bigquery import BigQueryArchive, open_archive
from warmlead.buses.bigquery_jobs import ADDRESS, BigQueryJobs, address_of
from warmlead.google_api import AccessTokens
from warmlead.ports.archiving import Archive
from warmlead.runtime.backends import Embedded, System
from warmlead.settings import Settings

BIGQUERY_EMULATOR = "BIGQUERY_EMULATOR_HOST"
"""The variable by which Google's own client finds an emulator of BigQuery."""


@asynccontextmanager
async def archive_of(system: System) -> AsyncIterator[Archive | None]:
    """The archive beside a backend; ``None`` if there is none: ``why_no_archive`` says why.

    Raises ``ConfigurationError`` if it may not be read, ``UnavailableError`` if it is away.
    """
    if isinstance(system, Embedded):
        yield system.bus
        return
    archive = await _bigquery_archive(system)
    try:
        yield archive
    finally:
        if archive:
            await archive.close()


async def _bigquery_archive(system: System) -> BigQueryArchive | None:
    emulator = os.environ.get(BIGQUERY_EMULATOR, "")
    if _is_emulated() and not emulator:
        return None  # Google knows nothing of an emulator's project
    using = system.settings
    jobs = BigQueryJobs(
        using.project,
        address=address_of(emulator) if emulator else ADDRESS,
        tokens=None if emulator else AccessTokens(),
    )
    archive = None
    most_bytes = using.archive_query_gib * 2**30
    try:
        archive = await open_archive(
            jobs, using.archive_dataset, system.clock, most_bytes=most_bytes
        )
    finally:
        if archive is None:
            await jobs.close()
    return archive


def _is_emulated() -> bool:
    return bool(os.environ.get("FIRESTORE_EMULATOR_HOST"))


def why_no_archive(using: Settings) -> str:
    """Why ``archive_of`` has none."""
    if _is_emulated() and not os.environ.get(BIGQUERY_EMULATOR):
        return "there is no archive beside Google's emulators"
    return (
        f"there is no archive in BigQuery: the project {using.project} has no dataset "
        f"{using.archive_dataset} (WARMLEAD_ARCHIVE_DATASET)"
    )
