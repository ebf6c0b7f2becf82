"""Where the measuring happens: Google's emulators, and projects in them that nobody else uses."""

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import grpc
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client
from google.cloud.firestore_v1.services.firestore import FirestoreClient

from warmlead.buses.topology import SCORE, PushConfig, create_topology
from warmlead.cli.local.emulators import VARIABLES, emulators

ID_SECRET = "a-secret-of-the-benchmark-of-40-characters"  # it keeps nothing secret
WRITE_KEY = "pk_bench_5fQ9xLr2Tz"
MODEL = "b2b-saas"


class Cloud(NamedTuple):
    """The emulators' addresses, host:port each."""

    firestore: str
    pubsub: str

    def project(self) -> str:
        """A new project with Warmlead's topics, from which nothing is pushed."""
        name = f"bench-{uuid.uuid4().hex[:12]}"
        create_topology(name, {}, emulator=self.pubsub, subscriptions=[])
        return name

    def push(self, project: str, address: str) -> None:
        """Has the project's events pushed to host:port."""
        push = {"score": PushConfig(f"http://{address}/")}
        create_topology(project, push, emulator=self.pubsub, topics=[], subscriptions=[SCORE])

    def settings(self, project: str) -> Mapping[str, str]:
        """The environment of a function of ours in the project, as in production."""
        return {
            "WARMLEAD_ENV": "production",
            "WARMLEAD_BACKEND": "gcp",
            "WARMLEAD_PROJECT": project,
            "WARMLEAD_ID_SECRET": ID_SECRET,
            "WARMLEAD_WRITE_KEYS": WRITE_KEY,
            "WARMLEAD_PUSH_AUTH": "iam",
            **self.hosts,
        }

    def naive_settings(self, project: str) -> Mapping[str, str]:
        """The environment of a naive function in the project."""
        return {"PROJECT": project, "WRITE_KEY": WRITE_KEY, **self.hosts}

    def documents(self, project: str, *interceptors: Any) -> Client:  # gRPC's
        """Google's own client of the project's database."""
        client = Client(project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]  # google-auth has no types
        transport = FirestoreClient.get_transport_class("grpc")
        channel = grpc.intercept_channel(grpc.insecure_channel(self.firestore), *interceptors)
        client._firestore_api_internal = FirestoreClient(transport=transport(channel=channel))  # noqa: SLF001  # it has no other way in
        return client

    @property
    def hosts(self) -> Mapping[str, str]:
        """Where Google's clients, and ours, look for the emulators."""
        return {VARIABLES["firestore"]: self.firestore, VARIABLES["pubsub"]: self.pubsub}


@contextmanager
def cloud() -> Iterator[Cloud]:
    """Emulators while the block runs: those that the environment names, or ones of our own."""
    named = {service: os.environ.get(variable, "") for service, variable in VARIABLES.items()}
    if all(named.values()):
        yield Cloud(named["firestore"], named["pubsub"])
        return
    with emulators({"firestore": None, "pubsub": None}) as started:
        yield Cloud(started["firestore"].address, started["pubsub"].address)
