"""The credentials of an IAM role, for this function's own identity at Google: no long-lived key.

https://docs.cloud.google.com/run/docs/securing/service-identity and
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

import os
from datetime import datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from warmlead.ports.dispatching import UnreachedError

METADATA_HOST = "metadata.google.internal"
"""Google's own clients too take another from the variable GCE_METADATA_HOST."""

_PATH = "/computeMetadata/v1/instance/service-accounts/default/identity"

_TOKEN_TIMEOUT_S = 5.0

_MOST_TOKEN_BYTES = 20_000
"""STS takes no longer one."""

_NOT_GIVEN = "no token from Google's metadata server"

SESSION = "warmlead"
"""What AWS's logs call a session."""

SESSION_S = 3_600

MARGIN = timedelta(minutes=5)
"""This long before their end, credentials are replaced."""


class RoleCredentials(Struct, frozen=True):
    """Credentials of a role, with their end."""

    key_id: str
    secret: str
    token: str
    ends_at: datetime

    def __repr__(self) -> str:
        return f"RoleCredentials(ends_at={self.ends_at!r})"

    def are_good(self, now: datetime) -> bool:
        """Whether they can be used for a while yet."""
        return now < self.ends_at - MARGIN

    @property
    def as_arguments(self) -> dict[str, str]:
        """As boto3 names them."""
        return {
            "aws_access_key_id": self.key_id,
            "aws_secret_access_key": self.secret,
            "aws_session_token": self.token,
        }


def google_token(audience: str) -> str:
    """A token of Google's that says who this function is, for an audience; it blocks.

    Raises ``UnreachedError`` if the metadata server gives none: outside of Google's cloud there is
    no such server.
    """
    connection = HTTPConnection(
        os.environ.get("GCE_METADATA_HOST") or METADATA_HOST, timeout=_TOKEN_TIMEOUT_S
    )
    target = f"{_PATH}?audience={quote(audience, safe='')}&format=full"
    try:
        connection.request("GET", target, headers={"Metadata-Flavor": "Google"})
        answer = connection.getresponse()
        token = answer.read(_MOST_TOKEN_BYTES).decode("ascii").strip()
    except (OSError, HTTPException, ValueError) as error:
        problem = f"{_NOT_GIVEN}: it does not answer; outside of Google's cloud there is none"
        raise UnreachedError(problem) from error
    finally:
        connection.close()
    is_google = answer.getheader("Metadata-Flavor") == "Google"
    if answer.status != HTTPStatus.OK or not is_google or not token:
        raise UnreachedError(f"{_NOT_GIVEN}: it answered {answer.status}")
    return token


def credentials_of(sts: Any, role: str, token: str) -> RoleCredentials:  # noqa: ANN401  # boto3 has no types
    """The role's credentials; ``sts`` is a client, and it blocks. Raises what the client raises."""
    answer = sts.assume_role_with_web_identity(
        RoleArn=role, RoleSessionName=SESSION, WebIdentityToken=token, DurationSeconds=SESSION_S
    )
    given = answer["Credentials"]
    return RoleCredentials(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], given["Expiration"]
    )
