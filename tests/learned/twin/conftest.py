"""Without PyTorch and transformers there is nothing to graft onto."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
