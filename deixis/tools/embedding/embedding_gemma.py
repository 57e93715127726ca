"""EmbeddingGemma 2 (Google 2026, Apache-2.0): one space for texts, pictures and sounds, free to use.

The library's processor for it needs torchvision, so the inputs are put together here, as it does: soft
tokens between their marks, one medium a sequence. Vectors are the mean of the last layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.tools.embedding.joint import Clips, JointEmbedder, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL, REVISION = "google/embeddinggemma-2", "914f7f89142e33e77833254d9c9b90c3cef7303b"
PROMPT = "task: search result | query: {}"
"""What the model card puts before what is looked for."""


class GemmaSpace:
    """The loaded model, and what prepares texts, pictures and sounds for it."""

    def __init__(self, model: Any, tokenizer: Any, pictures: Any, sounds: Any, prompt: str = PROMPT) -> None:
        self._model = model.eval().requires_grad_(False)
        self._tokenizer, self._pictures, self._sounds = tokenizer, pictures, sounds
        self._prompt = prompt
        self.dimension = int(model.config.text_config.embedding_dim)
        self.rate_hz = int(sounds.sampling_rate)
        self.rows = rows_of(model.device.type)
        plain: list[int] = tokenizer("")["input_ids"]
        first = plain[:1] == [tokenizer.bos_token_id]
        self._begin, self._end = plain[:first], plain[first:]

    def read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns a vector for each text."""
        return self._each(
            [{"input_ids": self._tokenizer(self._prompt.format(text))["input_ids"]} for text in texts]
        )

    def see(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Returns a vector for each picture."""
        config, given = self._model.config, []
        for picture in pictures:
            made = self._pictures(images=[picture], return_tensors="pt")
            count = int(made["num_soft_tokens_per_image"][0])
            ids = self._soft(config.boi_token_id, config.image_token_id, config.eoi_token_id, count)
            values = {key: made[key] for key in ("pixel_values", "image_position_ids")}
            given.append({"input_ids": ids, **values})
        return self._each(given)

    def hear(self, sounds: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Returns a vector for each sound."""
        config, given = self._model.config, []
        for sound in sounds:
            made = self._sounds([np.asarray(sound)], sampling_rate=self.rate_hz, return_tensors="pt")
            mask = made["input_features_mask"]
            # Two layers halve the frames; a frame of theirs is real where the first of its two is.
            count = int(mask[0, ::2][::2].sum())
            ids = self._soft(config.boa_token_id, config.audio_token_id, config.eoa_token_index, count)
            values = {"input_features": made["input_features"], "input_features_mask": mask.bool()}
            given.append({"input_ids": ids, **values})
        return self._each(given)

    def _soft(self, start: int, token: int, end: int, count: int) -> list[int]:
        return [*self._begin, start, *[token] * count, end, *self._end]

    def _each(self, given: Sequence[dict[str, Any]]) -> NDArray[np.float32]:
        import torch

        device, kind, rows = self._model.device, self._model.dtype, []
        for one in given:
            ids = torch.tensor([one.pop("input_ids")], device=device)
            values = {
                key: value.to(device, kind if value.is_floating_point() else None)
                for key, value in one.items()
            }
            with torch.inference_mode():
                out = self._model(input_ids=ids, attention_mask=torch.ones_like(ids), **values)
            rows.append(out.last_hidden_state[0].float().mean(0).cpu().numpy())
        return np.stack(rows)


def embedding_gemma(
    model: str = MODEL,
    revision: str | None = None,
    prompt: str = PROMPT,
    clips: int = 3,
    clip_s: float = 10.0,
    device: str = "auto",
    dtype: str = "fp32",
) -> JointEmbedder:
    """Returns EmbeddingGemma 2, which is loaded at its first request: the free default of the role.

    Args:
        model: a folder, or an id of the hub whose snapshot is in the hub's cache.
        revision: of the hub; the one this was written for where the model is the default.
        prompt: what texts are set into.
        clips: windows of a long sound, equally spaced.
        clip_s: seconds of a window; the model takes up to 30.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        dtype: ``fp32`` or ``bf16``; the model is not made for fp16.

    Raises:
        MissingExtra: torch or transformers is not installed.
        InputFault: the files are not here.
    """
    from deixis.tools import pretrained

    pretrained.need("EmbeddingGemma 2")
    folder = pretrained.folder_of(model, revision or (REVISION if model == MODEL else None))
    files = pretrained.folder_weights(folder)
    return JointEmbedder(
        "embedding/embedding-gemma",
        lambda: loaded(folder, prompt, device, dtype),
        lambda: pretrained.files_digest(files),
        Clips(clips, clip_s),
    )


def loaded(folder: Path, prompt: str, device: str, dtype: str) -> GemmaSpace:
    """Returns the model of a folder.

    Raises:
        ToolFault: it cannot be loaded, or the installed transformers does not have it.
    """
    from deixis.tools import pretrained

    here: dict[str, Any] = {"local_files_only": True}
    with pretrained.reading(folder):
        from transformers import (
            AutoConfig,
            AutoImageProcessor,
            AutoTokenizer,
            EmbeddingGemma2Model,
            Gemma4AudioFeatureExtractor,
        )

        config = AutoConfig.from_pretrained(folder, **here)
        if config.model_type != "embedding_gemma2":
            raise ValueError(f"it is a {config.model_type}, not an embedding_gemma2")
        model = EmbeddingGemma2Model.from_pretrained(folder, use_safetensors=True, **here)
        tokenizer = AutoTokenizer.from_pretrained(folder, **here)
        looks: Any = AutoImageProcessor
        pictures = looks.from_pretrained(folder, backend="pil", **here)
        sounds = Gemma4AudioFeatureExtractor.from_pretrained(folder, **here)
    place, kind = pretrained.device_of(device), pretrained.dtype_of(dtype)
    placed: Any = model
    placed = placed.to(device=place, dtype=kind)
    return GemmaSpace(placed, tokenizer, pictures, sounds, prompt)
