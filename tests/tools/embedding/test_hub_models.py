"""EmbeddingGemma 2, and SigLIP 2 with CLAP: tiny random models of the real classes behind the tools."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deixis.errors import InputFault, ToolFault
from deixis.store import Store
from deixis.tools.embedding import AudioPart, EmbedRequest, ImageRegion
from deixis.tools.embedding.embedding_gemma import embedding_gemma
from deixis.tools.embedding.joint import JointEmbedder
from deixis.tools.embedding.pairwise import pairwise
from tests.conformance.embedding import check_embedder
from tests.parity.weights import picture
from tests.tools.embedding.tiny_models import clap_folder, gemma_folder, siglip_folder

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {"gemma": gemma_folder, "siglip": siglip_folder, "clap": clap_folder}
    return {name: make(tmp_path_factory.mktemp(name)) for name, make in made.items()}


def gemma(folders: dict[str, Path]) -> JointEmbedder:
    """Returns EmbeddingGemma 2 over the tiny model."""
    return embedding_gemma(str(folders["gemma"]), device="cpu")


def both(folders: dict[str, Path]) -> JointEmbedder:
    """Returns the pair over the tiny models."""
    return pairwise(str(folders["siglip"]), str(folders["clap"]), device="cpu")


@pytest.mark.parametrize("make", [gemma, both])
def test_they_keep_the_promises_of_an_embedder(make, folders, store: Store) -> None:
    time = np.arange(3 * 16000) / 16000
    audio = store.add_audio(((0.3 * np.sin(2000 * time)).astype(np.float32), 16000))
    check_embedder(make(folders), store, store.add_image(picture(60, 80)), audio)


@pytest.mark.parametrize("make", [gemma, both])
def test_what_differs_has_another_vector(make, folders, store: Store) -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, (2, 2 * 16000)).astype(np.float32)
    noise[1] = np.sin(np.arange(2 * 16000) / 3) * 0.3
    request = EmbedRequest(
        images=tuple(ImageRegion(image=store.add_image(picture(50, 70, seed))) for seed in (1, 2)),
        audios=tuple(AudioPart(audio=store.add_audio((one, 16000))) for one in noise),
    )
    tool = make(folders)
    found = tool.run(request, store)
    assert len(tool.weights_digest) == 71
    for one, other in (found.images, found.audios):
        assert np.abs(np.array(one) - np.array(other)).max() > 1e-5


def test_the_pair_compares_by_the_list_of_things(folders, store: Store) -> None:
    tool = pairwise(str(folders["siglip"]), str(folders["clap"]), things=("dog", "cat", "car"), device="cpu")
    (vector,) = tool.run(EmbedRequest(texts=("dog",)), store).texts
    assert vector is not None
    assert len(vector) == 3
    assert min(vector) >= 0


@pytest.mark.parametrize("make", [embedding_gemma, pairwise])
def test_a_model_that_is_not_here_is_said(make) -> None:
    with pytest.raises(InputFault) as raised:
        make("nobody/nothing")
    assert raised.value.code == "weights.model.absent"


def test_a_folder_of_another_model_is_refused(folders, store: Store) -> None:
    tool = embedding_gemma(str(folders["siglip"]), device="cpu")
    with pytest.raises(ToolFault) as raised:
        tool.run(EmbedRequest(texts=("dog",)), store)
    assert raised.value.code == "tool.weights.unloadable"
