"""Taking an address, and saying what is wrong with it."""

import errno
import os
import socket

import pytest

from patience import PATIENCE_S
from warmlead.cli.local.supervision import listen, reason_of
from warmlead.domain.errors import ConfigurationError


def test_it_listens_at_once() -> None:
    (listening,) = listen("127.0.0.1", 0)
    with listening, socket.create_connection(listening.getsockname(), timeout=PATIENCE_S):
        pass


def test_a_name_may_have_several_addresses() -> None:
    sockets = listen("localhost", 0)
    assert sockets
    for each in sockets:
        each.close()


def test_a_port_in_use_is_reported_with_a_free_one() -> None:
    (taken,) = listen("127.0.0.1", 0)
    with taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught:
            listen("127.0.0.1", port)
    assert str(caught.value).startswith(f"Warmlead cannot listen on 127.0.0.1:{port}:")
    assert "--port" in str(caught.value)


@pytest.mark.parametrize(
    ("host", "told"),
    [("192.0.2.1", "has no such address"), ("nowhere.invalid", "knows no such host")],
)
def test_an_address_of_another_machine_is_refused(host: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        listen(host, 0)


def test_a_port_that_needs_more_rights_is_told() -> None:
    told = reason_of(PermissionError(errno.EACCES, "Permission denied"), 80)
    assert told.startswith("this user may not take that port; choose one above 1023")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may take any port")
def test_a_low_port_is_not_taken_by_an_ordinary_user() -> None:
    with pytest.raises(ConfigurationError, match=r"above 1023|in use"):
        listen("127.0.0.1", 80)
