"""One running server for each test module."""

from collections.abc import Iterator

import pytest

from served import Served, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("warmlead") / "data") as served:
        yield served
