"""Somebody who signs tokens as Google does, with a server of certificates on loopback."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from patience import PATIENCE_S

AUDIENCE = "https://score.example/"
ACCOUNT = "pusher@warmlead-tests.iam.gserviceaccount.com"


class Key:
    """An RSA key with its id, and a certificate of it as Google publishes them."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self._private = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "federated-signon.example")])
        now = dt.datetime.now(dt.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._private.public_key())
            .serial_number(1)
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=10))
            .sign(self._private, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
            .decode()
        )

    def token(self, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A good token but for what is given; ``None`` leaves a claim out."""
        signed = signed_part({"alg": "RS256", "kid": self.key_id, **(header or {})}, claims)
        signature = self._private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_segment(signature)}"

    def token_by_hmac(self) -> str:
        """Signed with the public certificate as if it were a shared secret."""
        signed = signed_part({"alg": "HS256", "kid": self.key_id}, {})
        key = self.certificate.encode()
        return f"{signed}.{_segment(hmac.digest(key, signed.encode(), hashlib.sha256))}"


def signed_part(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """Header and claims, as Google's tokens for Pub/Sub's pushes have them."""
    now = int(time.time())
    usual = {
        "aud": AUDIENCE,
        "azp": "113774264463038321964",
        "email": ACCOUNT,
        "email_verified": True,
        "exp": now + 3_600,
        "iat": now,
        "iss": "https://accounts.google.com",
        "sub": "113774264463038321964",
    }
    body = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    parts = ({"typ": "JWT", **header}, body)
    return ".".join(_segment(json.dumps(part).encode()) for part in parts)


def _segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Authority:
    """What the server of certificates answers, and how often it was asked."""

    def __init__(self, key: Key) -> None:
        self.keys = [key]
        self.asked = 0
        self.status = 200
        self.cache_control = "public, max-age=20000, must-revalidate, no-transform"
        self.body: bytes | None = None
        self.was_asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.url = ""

    def certificates(self) -> bytes:
        """By the keys' ids, in PEM."""
        return json.dumps({key.key_id: key.certificate for key in self.keys}).encode()


@contextmanager
def an_authority(key: Key) -> Iterator[Authority]:
    """An authority with this key while its server runs; making a key takes long."""
    authority = Authority(key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            authority.asked += 1
            authority.was_asked.set()
            authority.may_answer.wait(timeout=PATIENCE_S)
            body = authority.certificates() if authority.body is None else authority.body
            self.send_response(authority.status)
            self.send_header("Cache-Control", authority.cache_control)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        authority.url = f"http://127.0.0.1:{server.server_port}/oauth2/v1/certs"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield authority
        server.shutdown()
        thread.join()


def bad_headers(ours: Key, stranger: Key) -> dict[str, str | None]:
    """Authorizations that are not good, each by what is wrong with it; ``None``: there is none."""
    now = int(time.time())
    good = ours.token()
    head, claims, signature = good.split(".")
    forged = signed_part({"alg": "RS256", "kid": ours.key_id}, {"email": "else@example.com"})
    unsigned = signed_part({"alg": "none", "kid": ours.key_id}, {})
    tokens = {
        "no algorithm": f"{unsigned}.",
        "no algorithm, some signature": f"{unsigned}.{signature}",
        "shared secret": ours.token_by_hmac(),
        "another algorithm named": ours.token({"alg": "RS512"}),
        "an algorithm that is a list": ours.token({"alg": ["RS256"]}),
        "somebody else's key": stranger.token(),
        "somebody else's key under our id": stranger.token({"kid": ours.key_id}),
        "no key named": ours.token({"kid": None}),
        "a key named by a number": ours.token({"kid": 1}),
        "other claims than were signed": f"{forged}.{signature}",
        "no signature": f"{head}.{claims}.",
        "half a signature": f"{head}.{claims}.{signature[: len(signature) // 2]}",
        "claims that are no JSON": f"{head}.{_segment(b'not JSON')}.{signature}",
        "claims in depth": f"{head}.{_segment(b'[' * 5_000)}.{signature}",
        "a header in depth": f"{_segment(b'[' * 5_000)}.{claims}.{signature}",
        "a header that is a list": f"{_segment(b'[]')}.{claims}.{signature}",
        "a header of no base64": f"A.{claims}.{signature}",
        "five parts": f"{good}.{claims}.{signature}",
        "another audience": ours.token(aud="https://else.example/"),
        "several audiences": ours.token(aud=[AUDIENCE, "https://else.example/"]),
        "no audience": ours.token(aud=None),
        "another issuer": ours.token(iss="https://accounts.google.com.example.com"),
        "no issuer": ours.token(iss=None),
        "an issuer that is a list": ours.token(iss=["accounts.google.com"]),
        "expired": ours.token(iat=now - 7_200, exp=now - 3_600),
        "expired a minute ago": ours.token(iat=now - 3_660, exp=now - 60),
        "no end": ours.token(exp=None),
        "an end that is a text": ours.token(exp="tomorrow"),
        "issued tomorrow": ours.token(iat=now + 86_400, exp=now + 90_000),
        "not yet valid": ours.token(nbf=now + 600),
        "valid from a text": ours.token(nbf="today"),
        "another account": ours.token(email="else@warmlead-tests.iam.gserviceaccount.com"),
        "an account in other letters": ours.token(email=ACCOUNT.upper()),
        "no account": ours.token(email=None),
        "an account that is not verified": ours.token(email_verified=False),
        "an account verified by a text": ours.token(email_verified="true"),
        "an account of which nothing is said": ours.token(email_verified=None),
        "garbage": "garbage",
        "nothing": "",
        "a very long one": "a" * 9_000 + f".{claims}.{signature}",
    }
    return {
        **{name: f"Bearer {token}" for name, token in tokens.items()},
        "missing": None,
        "empty": "",
        "Basic": f"Basic {base64.b64encode(b'user:password').decode()}",
        "Basic with a good token": f"Basic {good}",
        "no scheme": good,
        "two tokens": f"Bearer {good}, Bearer {good}",
        "a bad and a good token": f"Bearer {stranger.token()}, Bearer {good}",
        "something after it": f"Bearer {good} more",
    }
