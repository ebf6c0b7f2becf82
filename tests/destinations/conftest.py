"""What tests of destinations share: a receiver on this machine that behaves as it is told."""

from collections.abc import Iterator

import pytest

from receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
