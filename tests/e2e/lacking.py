"""What a test does on a machine that lacks something which it needs."""

import os
from typing import NoReturn

import pytest


def skip_or_fail(reason: str) -> NoReturn:
    """Skips, and says why; but CI has to have everything, so there it fails."""
    if os.environ.get("CI"):
        pytest.fail(f"CI needs it: {reason}")
    pytest.skip(reason)  # the reason is the caller's
