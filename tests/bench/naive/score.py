"""The naive counterpart of ``score``: one transaction an event."""

import base64
import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import flask
import functions_framework
from google.cloud import firestore, pubsub_v1

POINTS = {"page_viewed": 1, "content_downloaded": 20, "webinar_attended": 20, "demo_requested": 40}
MQL_AT = 40

Document = dict[str, Any]


@cache
def database() -> firestore.Client:
    """The client of this process, with its default settings."""
    return firestore.Client(project=os.environ["PROJECT"])


@cache
def publisher() -> pubsub_v1.PublisherClient:
    """The client of this process, with its default settings."""
    return pubsub_v1.PublisherClient()


def lead_id(identifier: str) -> str:
    """The id of a person's document."""
    return hashlib.sha256(identifier.encode()).hexdigest()[:32]


def ids_of(event: Document) -> list[str]:
    """The ids of the documents that an event concerns, the strongest identifier's first."""
    known = (event["email"], event["user_id"], event["anonymous_id"])
    return [lead_id(identifier) for identifier in known if identifier]


def count(client: firestore.Client, event: Document) -> Document | None:
    """Counts an event once; returns the outbox entry of what it triggered, if anything."""
    entry: Document | None = _count(client.transaction(), client, event)
    return entry


@firestore.transactional
def _count(transaction: Any, client: firestore.Client, event: Document) -> Document | None:
    seen = client.collection("seen").document(event["id"])
    if seen.get(transaction=transaction).exists:
        return None
    home, *others = [client.collection("leads").document(id_) for id_ in ids_of(event)]
    lead = home.get(transaction=transaction).to_dict() or {"score": 0, "events": 0, "stage": "lead"}
    absorbed = [other.get(transaction=transaction).to_dict() or {} for other in others]
    was = lead["stage"]
    lead = _counted(lead, event, absorbed)
    transaction.set(home, lead)
    for other in others:
        transaction.set(other, {"merged_into": home.id})
    expires = datetime.now(UTC) + timedelta(days=31)
    transaction.create(seen, {"expires_at": expires})
    if lead["stage"] == was:
        return None
    entry = {"id": f"{home.id}-mql", "lead_id": home.id, "stage": "mql", "score": lead["score"]}
    transaction.create(client.collection("outbox").document(entry["id"]), entry)
    return entry


def _counted(lead: Document, event: Document, absorbed: list[Document]) -> Document:
    """The lead with the event, and with what was known of the person under other ids."""
    score = lead["score"] + POINTS.get(event["name"], 0) + sum(a.get("score", 0) for a in absorbed)
    return {
        **lead,
        **event["traits"],
        "score": score,
        "events": lead["events"] + 1 + sum(a.get("events", 0) for a in absorbed),
        "stage": "mql" if score >= MQL_AT and event["email"] else lead["stage"],
        "last_event_at": event["occurred_at"],
    }


def send(
    client: firestore.Client, sender: pubsub_v1.PublisherClient, project: str, entry: Document
) -> None:
    """Publishes an outbox entry and deletes it."""
    sender.publish(f"projects/{project}/topics/mql", json.dumps(entry).encode()).result()
    client.collection("outbox").document(entry["id"]).delete()


@functions_framework.http
def score(request: flask.Request) -> flask.typing.ResponseReturnValue:
    """Counts a pushed event and publishes what it triggered."""
    event = json.loads(base64.b64decode(request.get_json()["message"]["data"]))
    if entry := count(database(), event):
        send(database(), publisher(), os.environ["PROJECT"], entry)
    return {}
