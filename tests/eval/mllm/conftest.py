"""A tiny base with random weights, a twin of it, and a few questions of the world."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of a tiny base and of a twin that answers otherwise."""
    import torch

    from deixis.learned.mllm import load, new_model
    from deixis.learned.twin import TwinConfig, graft

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("mllm")
    model, processor = new_model("tiny")
    model.save_pretrained(folder / "base")
    processor.save_pretrained(folder / "base")
    model, _ = load(folder / "base")
    twin = graft(model, TwinConfig(kind="lowrank", rank=2, layers="all"))
    with torch.no_grad():
        generator = torch.Generator().manual_seed(1)
        for value in twin.parameters():
            value.add_(torch.randn(value.shape, generator=generator))
    from deixis.learned.twin.gates.marker import MarkerGate

    twin.gate = MarkerGate("Find", "Point", "Box", "Where is", "Where can", "Which one", "Show me the")
    twin.save(folder / "twin")
    return folder / "base", folder / "twin"


@pytest.fixture(scope="session")
def asked() -> Any:
    from deixis.eval.mllm.data import questions

    return questions(4)
