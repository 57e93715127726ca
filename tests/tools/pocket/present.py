"""Skips tests of networks that this checkout does not have."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest


def needs_shipped(*names: str) -> Any:
    """Marks a test that needs pocket files of the package; damaged ones are there and must fail."""
    missing = [name for name in names if not files("deixis.tools.pocket").joinpath(name).is_file()]
    return pytest.mark.skipif(bool(missing), reason=f"not shipped yet: {', '.join(missing)}")
