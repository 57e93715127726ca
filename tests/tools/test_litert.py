from __future__ import annotations

import os
import subprocess
import sys

import pytest

LOAD = "from deixis.tools.litert import interpreter; interpreter('audio/yamnet.tflite')"
KEPT = """
import os, sys
from deixis.tools.litert import _without_banner
with _without_banner():
    os.write(2, b'a warning\\n'); os.write(2, b'INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\n')
    print('another', file=sys.stderr)
print('after', file=sys.stderr)
"""


def errors_of(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    return done.stderr


@pytest.mark.shared
def test_loading_a_network_says_nothing(shared):
    assert errors_of(LOAD) == ""


def test_only_the_banner_is_held_back():
    assert errors_of(KEPT).splitlines() == ["a warning", "another", "after"]
