"""SigLIP 2 for pictures and CLAP for sounds, joined by words: where no single space has both.

Each model sees one sense and texts. A picture and a sound meet in what they say about the same list of
things that sound: each is the square roots of its probabilities over the list, so that the product of two
is Bhattacharyya's coefficient. What makes no sound on the list cannot be told apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.tools.embedding.joint import Clips, JointEmbedder, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGLIP, SIGLIP_REVISION = "google/siglip2-base-patch16-224", "75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2"
CLAP = "laion/clap-htsat-unfused"
THINGS = (
    "person speaking, person singing, crying baby, laughing person, crowd, dog, cat, horse, cow, sheep, pig, "
    "goat, chicken, rooster, duck, bird, crow, owl, frog, insect, lion, elephant, monkey, snake, car, bus, "
    "truck, motorcycle, train, airplane, helicopter, boat, bicycle, ambulance, fire engine, police car, "
    "guitar, violin, piano, drum, trumpet, flute, saxophone, accordion, bell, clock, telephone, keyboard, "
    "door, vacuum cleaner, washing machine, chainsaw, hammer, gun, fireworks, fire, rain, thunderstorm, "
    "sea waves, stream, wind, toilet, water tap, frying pan, television, loudspeaker"
).split(", ")
SEEN, HEARD = "This is a photo of {}.", "This is a sound of {}."


class PairwiseSpace:
    """Two loaded models over one list of things."""

    def __init__(self, siglip: Sequence[Any], clap: Sequence[Any], things: Sequence[str]) -> None:
        self._image, self._image_words, self._pictures = siglip
        self._audio, self._audio_words, self._sounds = clap
        self.dimension = len(things)
        self.rate_hz = int(self._sounds.sampling_rate)
        self.rows = rows_of(self._image.device.type)
        for model in (self._image, self._audio):
            model.eval().requires_grad_(False)
        self._seen = self._image_texts([SEEN.format(thing) for thing in things])
        self._heard = self._texts(self._audio, self._audio_words, [HEARD.format(thing) for thing in things])

    def read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns what the picture model's texts say about the things."""
        return self._profile(
            self._image_texts([SEEN.format(text) for text in texts]), self._seen, self._image
        )

    def see(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Returns what the picture model says about the things."""
        made = self._pictures(images=list(pictures), return_tensors="pt")
        return self._profile(self._vectors(self._image, "get_image_features", made), self._seen, self._image)

    def hear(self, sounds: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Returns what the sound model says about the things."""
        made = self._sounds(
            [one[: self._sounds.nb_max_samples] for one in sounds],  # longer ones would be cut at random
            sampling_rate=self.rate_hz,
            truncation="rand_trunc",
            return_tensors="pt",
        )
        made = {key: value for key, value in made.items() if key == "input_features"}
        return self._profile(self._vectors(self._audio, "get_audio_features", made), self._heard, self._audio)

    def _image_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        # SigLIP was trained on lower case, always filled up to its whole length.
        length = self._image.config.text_config.max_position_embeddings
        lower = [text.lower() for text in texts]
        return self._texts(self._image, self._image_words, lower, padding="max_length", max_length=length)

    def _texts(self, model: Any, words: Any, texts: Sequence[str], **how: Any) -> NDArray[np.float32]:
        made = words(list(texts), truncation=True, return_tensors="pt", **{"padding": True, **how})
        return self._vectors(model, "get_text_features", made)

    @staticmethod
    def _vectors(model: Any, ask: str, given: Any) -> NDArray[np.float32]:
        """Returns unit vectors; the library's features are an output object or the tensor itself."""
        import torch

        placed = {
            key: value.to(model.device, model.dtype if value.is_floating_point() else None)
            for key, value in dict(given).items()
        }
        with torch.inference_mode():
            out = getattr(model, ask)(**placed)
        found: NDArray[np.float32] = getattr(out, "pooler_output", out).float().cpu().numpy()
        found /= np.maximum(np.linalg.norm(found, axis=-1, keepdims=True), 1e-9)
        return found

    @staticmethod
    def _profile(rows: NDArray[np.float32], things: NDArray[np.float32], model: Any) -> NDArray[np.float32]:
        scale = model.logit_scale if hasattr(model, "logit_scale") else model.logit_scale_a
        logits = float(np.exp(min(float(scale), np.log(100)))) * (rows @ things.T).astype(np.float64)
        chances = np.exp(logits - logits.max(1, keepdims=True))
        found: NDArray[np.float32] = np.sqrt(chances / chances.sum(1, keepdims=True)).astype(np.float32)
        return found


def pairwise(
    siglip: str = SIGLIP,
    clap: str = CLAP,
    things: Sequence[str] | None = None,
    clips: int = 3,
    clip_s: float = 10.0,
    device: str = "auto",
    dtype: str = "fp32",
) -> JointEmbedder:
    """Returns the fall-back of SigLIP 2 and CLAP, which are loaded at the first request.

    Args:
        siglip: a folder, or an id in the hub's cache, of a SigLIP or SigLIP 2 of fixed size.
        clap: likewise of a CLAP without fusion.
        things: the list by which pictures and sounds are compared.
        clips, clip_s: windows of a long sound, and their seconds.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        dtype: ``fp32`` or ``bf16``.

    Raises:
        MissingExtra: torch or transformers is not installed.
        InputFault: a model is not here.
    """
    from deixis.tools import pretrained

    pretrained.need("SigLIP 2 and CLAP")
    folders = [
        pretrained.folder_of(siglip, SIGLIP_REVISION if siglip == SIGLIP else None),
        pretrained.folder_of(clap),
    ]
    named = tuple(things or THINGS)

    def digest() -> str:
        parts = [pretrained.files_digest(pretrained.folder_weights(folder)) for folder in folders]
        return f"sha256:{hashlib.sha256(' '.join([*parts, *named]).encode()).hexdigest()}"

    return JointEmbedder(
        "embedding/pairwise", lambda: loaded(folders, named, device, dtype), digest, Clips(clips, clip_s)
    )


def loaded(folders: Sequence[Path], things: Sequence[str], device: str, dtype: str) -> PairwiseSpace:
    """Returns both models.

    Raises:
        ToolFault: one cannot be loaded.
    """
    from transformers import AutoFeatureExtractor, AutoImageProcessor, AutoModel, AutoTokenizer

    from deixis.tools import pretrained

    place, kind = pretrained.device_of(device), pretrained.dtype_of(dtype)
    found = []
    kinds: tuple[Any, Any] = (AutoImageProcessor, AutoFeatureExtractor)
    for folder, prepares in zip(folders, kinds, strict=True):
        with pretrained.reading(folder):
            model = AutoModel.from_pretrained(folder, use_safetensors=True, local_files_only=True)
            words = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            how = {"backend": "pil"} if prepares is AutoImageProcessor else {}
            other = prepares.from_pretrained(folder, local_files_only=True, **how)
        found.append((model.to(device=place, dtype=kind), words, other))
    return PairwiseSpace(found[0], found[1], things)
