"""One server with fakes for the tests that change nothing about it."""

from __future__ import annotations

import pytest

from tests.tools.serving.running import guarded, server


@pytest.fixture(scope="module")
def guarded_server(tmp_path_factory):
    """A server of fakes that wants a token."""
    with server(tmp_path_factory.mktemp("served"), options=guarded()) as here:
        yield here
