"""What is known of families of image-text models: how they write places, how they look at pictures.

Processors of these families carry a part for films that wants torchvision, so their inputs are put together
here (`assembling`) from the picture processor on PIL and the tokenizer, alike with torchvision and without.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Parts:
    """What a folder holds beside the weights.

    Attributes:
        tokenizer, pictures: the tokenizer and the picture processor.
        settings: of the processor as the folder states them; may be empty.
        config: of the model.
    """

    tokenizer: Any
    pictures: Any
    settings: Mapping[str, Any]
    config: Any

    def token(self, name: str, usual: str) -> str:
        """Returns a special token by the tokenizer's name for it, else by the processor's, else the usual."""
        found: str = getattr(self.tokenizer, name, None) or self.settings.get(name) or usual
        return found


@dataclass(frozen=True)
class Family:
    """One family.

    Attributes:
        name: for messages and the page.
        types: ``model_type`` of its configurations.
        format: how it was taught to write places (`deixis.learned.formats`), which states the coordinate
            space; empty where it was taught none and points by references.
        resize: what becomes of a picture, in words.
        image: token that the chat template writes for a picture, by the tokenizer's name and the usual one.
        holds: text that stands in the prompt for each picture, from the parts, what the picture processor
            made of all of them, and the pictures' number.
        how: options of the picture processor.
        nested: the picture processor wants the pictures of a prompt as a list of their own.
        unused: what the picture processor gives that the model does not take.
        typed: the model takes ``mm_token_type_ids``.
    """

    name: str
    types: tuple[str, ...]
    format: str
    resize: str
    image: tuple[str, str]
    holds: Callable[[Parts, str, Mapping[str, Any], int], list[str]]
    how: Mapping[str, Any] = field(default_factory=dict)
    nested: bool = False
    unused: tuple[str, ...] = ()
    typed: bool = False


def _merged(parts: Parts, image: str, made: Mapping[str, Any], count: int) -> list[str]:
    """Returns a token for each square of merged patches (Qwen2-VL, section 2.1)."""
    each = parts.pictures.merge_size**2
    return [
        image * (math.prod(int(one) for one in made["image_grid_thw"][row]) // each) for row in range(count)
    ]


def _tiled(parts: Parts, image: str, made: Mapping[str, Any], count: int) -> list[str]:
    """Returns the tiles row by row under their names, then the whole picture (SmolVLM, section 2)."""
    edge = parts.token("fake_image_token", "<fake_token_around_image>")
    whole = parts.token("global_image_token", "<global-img>")
    square = image * (int(parts.settings.get("image_seq_len") or 0) or _shuffled(parts.config))
    found = []
    for rows, columns in zip(made["rows"][0], made["cols"][0], strict=True):
        lines = (
            "".join(f"{edge}<row_{row}_col_{column}>{square}" for column in range(1, int(columns) + 1))
            for row in range(1, int(rows) + 1)
        )
        tiles = "".join(f"{line}\n" for line in lines)
        found.append(f"{tiles}\n{edge}{whole}{square}{edge}" if tiles else f"{edge}{whole}{square}{edge}")
    return found


def _shuffled(config: Any) -> int:
    """Returns the tokens of a tile: its patches, `scale_factor` × `scale_factor` of them as one."""
    vision = config.vision_config
    return int((vision.image_size // vision.patch_size) ** 2 / config.scale_factor**2)


def _dynamic(parts: Parts, image: str, made: Mapping[str, Any], count: int) -> list[str]:
    """Returns the tokens of all tiles between two marks (InternVL 1.5, section 3.3)."""
    begin, end = parts.token("start_image_token", "<img>"), parts.token("end_image_token", "</img>")
    each = int(parts.settings.get("image_seq_length") or parts.config.image_seq_length)
    return [f"{begin}{image * (each * int(made['num_patches'][row]))}{end}" for row in range(count)]


def _any_resolution(parts: Parts, image: str, made: Mapping[str, Any], count: int) -> list[str]:
    """Returns a token for each feature of the whole and of its tiles (LLaVA-OneVision, section 3.2)."""
    vision, taken = parts.config.vision_config, parts.config.vision_feature_select_strategy
    side = math.isqrt(
        int(parts.settings.get("num_image_tokens") or (vision.image_size // vision.patch_size) ** 2)
    )
    tile = tuple(int(one) for one in made["pixel_values"].shape[-2:])
    most = int(parts.config.vision_aspect_ratio.removeprefix("anyres_max_"))
    found = []
    for row in range(count):
        height, width = (int(one) for one in made["image_sizes"][row])
        grid = _best_grid((height, width), parts.pictures.image_grid_pinpoints, tile)
        features = side * side + _of_tiles(height, width, (side * grid[0], side * grid[1]), most * side**2)
        found.append(image * (features - (taken == "default")))
    return found


def _best_grid(
    size: tuple[int, int], offered: Sequence[Sequence[int]], tile: tuple[int, ...]
) -> tuple[int, int]:
    from transformers.image_processing_utils import select_best_resolution

    height, width = select_best_resolution(size, list(offered))
    return height // tile[0], width // tile[1]


def _of_tiles(height: int, width: int, features: tuple[int, int], most: int) -> int:
    """Returns the features that are left without the padding, shrunk to about `most`, and one a line."""
    high, wide = features
    if width / height > wide / high:
        high -= (high - int(round(height * (wide / width), 7))) // 2 * 2
    else:
        wide -= (wide - int(round(width * (high / height), 7))) // 2 * 2
    ratio = math.sqrt(high * wide / most)
    if ratio > 1.1:
        high, wide = int(high // ratio), int(wide // ratio)
    return high * wide + high


FAMILIES: tuple[Family, ...] = (
    Family(
        "Qwen2.5-VL",
        ("qwen2_5_vl",),
        "qwen2.5-vl",
        "sides to multiples of 28 px within limits of area; boxes are pixels of that",
        ("image_token", "<|image_pad|>"),
        _merged,
        typed=True,
    ),
    Family(
        "Qwen3-VL",
        ("qwen3_vl",),
        "qwen3-vl",
        "sides to multiples of 32 px within limits of area",
        ("image_token", "<|image_pad|>"),
        _merged,
        typed=True,
    ),
    Family(
        "SmolVLM2",
        ("smolvlm",),
        "",  # its data have no boxes
        "longer side to a limit, cut into tiles, and the whole beside them",
        ("image_token", "<image>"),
        _tiled,
        how={"return_row_col_info": True},
        nested=True,
        unused=("rows", "cols"),
    ),
    Family(
        "InternVL",
        ("internvl",),
        "internvl",
        "cut into 1 to 12 square tiles by its aspect, and the whole beside them",
        ("context_image_token", "<IMG_CONTEXT>"),
        _dynamic,
        how={"crop_to_patches": True},
        unused=("num_patches",),
    ),
    Family(
        "LLaVA-OneVision",
        ("llava_onevision",),
        # Shares of the picture padded to a square, as LLaVA-1.5's data have them.
        "groundinggpt",
        "padded and cut into square tiles by its aspect, and the whole beside them",
        ("image_token", "<image>"),
        _any_resolution,
    ),
)


def family_of(model_type: str) -> Family | None:
    """Returns the family of a configuration's model type; None where nothing is known of it."""
    return next((one for one in FAMILIES if model_type in one.types), None)
