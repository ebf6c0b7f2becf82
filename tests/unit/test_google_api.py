"""Google's parts, light as they come: what is imported, and how a function shows who it is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from patience import PATIENCE_S

pytestmark = pytest.mark.slow


def told(code: str, **environment: str) -> list[str]:
    """What a fresh process prints, line by line."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("GOOGLE", "GCE", "CLOUDSDK"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    return done.stdout.splitlines()


LIGHT = """
import sys
from warmlead.google_api import message_types
types = message_types("google.pubsub_v1", "pubsub")
heavy = ("google.api_core", "google.auth", "requests", "google.pubsub_v1.services", "opentelemetry")
print([name for name in sys.modules if name.startswith(heavy)])
print("google.pubsub_v1" in sys.modules)
import google.cloud.pubsub_v1
from google.pubsub_v1 import PubsubMessage
print(PubsubMessage is types.PubsubMessage)
print(message_types("google.pubsub_v1", "pubsub") is types)
"""


def test_message_types_load_without_the_client_and_the_client_still_imports() -> None:
    assert told(LIGHT) == ["[]", "False", "True", "True"]


AFTER_THE_CLIENT = """
import google.cloud.firestore_v1
from warmlead.google_api import message_types
types = message_types("google.cloud.firestore_v1", "document")
print(google.cloud.firestore_v1.types.Document is types.Document)
"""


def test_an_already_imported_client_lends_its_message_types() -> None:
    assert told(AFTER_THE_CLIENT) == ["True"]


CONNECTING = """
import asyncio
from warmlead.domain.errors import ConfigurationError
from warmlead.google_api import GoogleApi

async def connect():
    api = GoogleApi("pubsub.googleapis.com")
    try:
        print(type(await api._connect()).__name__)
    except ConfigurationError as error:
        print(str(error).splitlines()[0])
    await api.close()

asyncio.run(connect())
"""


def test_without_credentials_it_says_what_to_do(tmp_path: Path) -> None:
    missing = told(CONNECTING, HOME=str(tmp_path), NO_GCE_CHECK="true")
    assert missing == ["There are no Google credentials:"]


def test_a_service_account_in_the_environment_is_taken(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {
        "type": "service_account",
        "client_email": "score@example.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
        "private_key": pem,
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    assert told(CONNECTING, GOOGLE_APPLICATION_CREDENTIALS=str(file)) == ["Channel"]
