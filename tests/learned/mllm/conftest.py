"""A tiny pocket MLLM with the shipped encoders, and samples of the world."""

from __future__ import annotations

import os
from typing import Any

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    from deixis.learned.mllm import build_tokenizer

    return build_tokenizer()


@pytest.fixture(scope="session")
def tiny(tokenizer: Any) -> tuple[Any, Any]:
    import torch

    from deixis.learned.mllm import new_model

    torch.set_num_threads(1)
    return new_model("tiny", tokenizer=tokenizer)


@pytest.fixture(scope="session")
def samples() -> list[Any]:
    from deixis.learned.scout.world.maker import WorldMaker

    return list(WorldMaker().samples(1_000_000, 25))
