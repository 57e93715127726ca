"""Which tags are asked for: the trained ones with their thresholds, or any that are described in words.

The trained names and thresholds are data of the reference (Apache-2.0) and come with the weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault
from deixis.tools.weights import locate

if TYPE_CHECKING:
    from torch import Tensor

TAGS, THRESHOLDS = "labels/ram_tag_list.txt", "labels/ram_tag_list_threshold.txt"
OPEN_THRESHOLD = 0.5
"""The reference's threshold for tags that were not trained: unseen ones score lower than trained ones."""
PLAIN = "a photo of a {}."
"""What describes a tag about which nothing is said."""
TEXT_ENCODER = "openai/clip-vit-base-patch16"
"""The text encoder in whose space the trained tags and descriptions lie."""
AT_A_TIME = 256

Descriptions = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Vocabulary:
    """Names in lower case with a threshold each; for tags that were not trained also their vectors.

    vectors: (tags, descriptions, 512), unit length; `described` (tags, descriptions): which there are.
    """

    names: tuple[str, ...]
    thresholds: tuple[float, ...]
    vectors: Tensor | None = None
    described: Tensor | None = None


def trained() -> Vocabulary:
    """Returns the 4,585 trained tags.

    Raises:
        WeightsMissing: the lists are not here.
        InputFault: weights.labels.unreadable: they are not of one length, or hold no numbers.
    """
    names = locate(TAGS).path.read_text("utf-8").splitlines()
    lines = locate(THRESHOLDS).path.read_text("utf-8").split()
    try:
        thresholds = tuple(float(line) for line in lines)
    except ValueError:
        thresholds = ()
    if len(names) != len(thresholds):
        raise InputFault(
            "weights.labels.unreadable",
            f"RAM has {len(names)} tags and {len(thresholds)} thresholds.",
            "Check them with: deixis models verify full",
        )
    return Vocabulary(tuple(name.casefold() for name in names), thresholds)


def descriptions_of(given: Descriptions | Sequence[str] | str | Path) -> dict[str, tuple[str, ...]]:
    """Returns the descriptions of each tag, at least one.

    Args:
        given: descriptions by tag; or tags alone; or a JSON file of either, or in the form that the
            reference's ``generate_tag_des_llm.py`` writes: a list of objects with one tag each.

    Raises:
        InputFault: tool.tags.unreadable: it is nothing of this, or empty.
    """
    if isinstance(given, str | Path):
        try:
            given = json.loads(Path(given).expanduser().read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise _unreadable(str(error)) from error
    if isinstance(given, Mapping):
        pairs: list[tuple[Any, Any]] = list(given.items())
    elif isinstance(given, Sequence) and not isinstance(given, str):
        pairs = [
            pair for item in given for pair in (item.items() if isinstance(item, Mapping) else ((item, ()),))
        ]
    else:
        raise _unreadable("it is neither a list nor an object")
    found: dict[str, tuple[str, ...]] = {}
    for name, texts in pairs:
        if isinstance(texts, str) or not isinstance(texts, Sequence) or not isinstance(name, str):
            raise _unreadable(f"{name!r} has no list of descriptions")
        said = tuple(text for text in texts if isinstance(text, str) and text.strip())
        if name.strip():
            found[name.strip().casefold()] = said or (PLAIN.format(name.strip()),)
    if not found:
        raise _unreadable("it names no tag")
    return found


def _unreadable(why: str) -> InputFault:
    return InputFault(
        "tool.tags.unreadable",
        f"The open tags cannot be used: {why}.",
        'Give {"tag": ["a description", ...], ...}, a list of tags, or a JSON file of one of them.',
    )


def opened(
    descriptions: Mapping[str, Sequence[str]],
    text_encoder: str,
    threshold: float,
    mixed: bool,
    device: str = "auto",
) -> Vocabulary:
    """Returns a vocabulary of tags that were not trained, placed by CLIP's text encoder.

    Args:
        descriptions: by tag.
        text_encoder: folder or hub id of a CLIP whose text vectors have 512 numbers.
        threshold: for all of them.
        mixed: RAM++ mixes the descriptions of a tag; else a tag has the direction of their sum.
        device: as for `pretrained.device_of`.

    Raises:
        InputFault: the text encoder is not here or is of another size.
    """
    import torch
    from torch.nn import functional

    texts = [text for said in descriptions.values() for text in said]
    flat: Any = _encoded(texts, text_encoder, device)
    parts = flat.split([len(said) for said in descriptions.values()])
    if not mixed:
        parts = tuple(functional.normalize(part.mean(0, keepdim=True), dim=-1) for part in parts)
    most = max(len(part) for part in parts)
    vectors = torch.stack([functional.pad(part, (0, 0, 0, most - len(part))) for part in parts])
    described = torch.tensor([[row < len(part) for row in range(most)] for part in parts])
    return Vocabulary(tuple(descriptions), (threshold,) * len(parts), vectors, described)


def _encoded(texts: Sequence[str], text_encoder: str, device: str) -> Tensor:
    """Returns unit vectors (texts, 512) in fp32 on the CPU; longer texts are cut to CLIP's 77 tokens."""
    import torch
    from torch.nn import functional
    from transformers import AutoTokenizer, CLIPTextModelWithProjection

    from deixis.tools.pretrained import device_of, folder_of, unloadable

    folder = folder_of(text_encoder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model: Any = CLIPTextModelWithProjection.from_pretrained(
            folder, use_safetensors=True, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise unloadable(text_encoder, error) from error
    if model.config.projection_dim != 512:
        raise InputFault(
            "tool.tags.encoder",
            f"The text encoder gives {model.config.projection_dim} numbers; RAM's tags have 512.",
            f"Take {TEXT_ENCODER}.",
        )
    model = model.to(device_of(device)).eval()
    rows = []
    for at in range(0, len(texts), AT_A_TIME):
        batch = tokenizer(
            list(texts[at : at + AT_A_TIME]),
            padding=True,
            truncation=True,
            max_length=77,
            return_tensors="pt",
        )
        with torch.inference_mode():
            embeds = model(**{name: one.to(model.device) for name, one in batch.items()}).text_embeds
        rows.append(functional.normalize(embeds.float(), dim=-1).cpu())
    return torch.cat(rows).clone()
