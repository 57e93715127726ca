"""The published checkpoints of RAM and RAM++, key by key.

Both files hold the state of a training: the weights under ``model``, the optimiser's beside them. Every
key of ``model`` has a place here: it is a weight of the network, a table that the network makes itself, or
a weight of RAM's caption writer, which tagging has no use for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.tools.pretrained import fill, misfit, read_checkpoint
from deixis.tools.tagging.ram.network import Recognizer, Shape

if TYPE_CHECKING:
    from torch import Tensor

MADE = ("relative_position_index", "attn_mask")
"""Last parts of the names of tables that follow from the window's size."""
CAPTIONS = ("tag_encoder.", "text_decoder.")
"""First parts of the names of RAM's caption writer; it shares its lowest two layers with the tag decoder."""
EARLIER = ("vision_multi.", "tagging_head.")
"""How the tag decoder is called in checkpoints of before the release, and now."""


def load(path: Path, shape: Shape) -> Recognizer:
    """Returns the network with the weights of a checkpoint; no code of the file is run.

    Raises:
        InputFault: the file is damaged, or a key of it is missing, left over, or of another shape.
    """
    return filled(read_checkpoint(path, inside="model"), shape, path.name)


def filled(tensors: Mapping[str, Tensor], shape: Shape, name: str) -> Recognizer:
    """Returns the network with these weights.

    Raises:
        InputFault: weights.checkpoint.keys: a key is missing, left over, or of another shape.
    """
    network = Recognizer(shape)
    renamed = {
        key.replace(*EARLIER, 1) if key.startswith(EARLIER[0]) else key: one for key, one in tensors.items()
    }
    tables = dict(network.named_buffers())
    strange = [
        key
        for key, one in renamed.items()
        if key.rpartition(".")[2] in MADE and (key not in tables or not one.equal(tables[key].to(one)))
    ]
    if strange:
        raise misfit(name, [], [], strange)
    fill(network, {key: one for key, one in renamed.items() if _is_weight(key)}, name)
    return network.eval().requires_grad_(False)


def _is_weight(key: str) -> bool:
    return not key.startswith(CAPTIONS) and key.rpartition(".")[2] not in MADE
