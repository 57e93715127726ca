"""Where a decoder keeps its layers, and where a layer keeps its feed-forward module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault

if TYPE_CHECKING:
    from torch import nn

# Llama, Qwen, Phi, Mixtral, GPT-OSS, GPT-2 say `mlp`; Llama 4 `feed_forward`; older MoE `block_sparse_moe`.
FEED_FORWARD = ("mlp", "feed_forward", "block_sparse_moe", "ffn")
STACKS = ("layers", "h")


@dataclass(frozen=True)
class Site:
    """One decoder layer and the attribute that holds its feed-forward module."""

    index: int
    layer: nn.Module
    attribute: str

    @property
    def module(self) -> nn.Module:
        """Returns what stands there now: the original module, or a wrapper around it."""
        module: nn.Module = getattr(self.layer, self.attribute)
        return module

    @property
    def name(self) -> str:
        """Returns the name that tensors of this site have in an adapter file, without what follows."""
        return f"layers.{self.index}.mlp"


def decoder_of(model: Any) -> nn.Module:
    """Returns the module that holds the decoder's layers; never a vision or audio tower.

    Raises:
        InputFault: `model` has no decoder with a list of layers.
    """
    found, seen = model, set()
    while id(found) not in seen:
        seen.add(id(found))
        ask = getattr(found, "get_decoder", None)
        found = ask() if callable(ask) else found
        if found is not None and _stack(found) is not None:
            return found  # type: ignore[no-any-return]
    raise InputFault(
        "twin.decoder.missing",
        f"{type(model).__name__} has no decoder with a list of layers that get_decoder() leads to.",
        "Give a Hugging Face causal language model or a vision-language model.",
    )


def _stack(decoder: Any) -> Any:
    for name in STACKS:
        layers = getattr(decoder, name, None)
        if layers is not None and hasattr(layers, "__len__") and len(layers):
            return layers
    return None


def layer_stack(decoder: Any) -> Any:
    """Returns the decoder's list of layers."""
    return _stack(decoder)


def site(decoder: Any, index: int) -> Site:
    """Returns where layer `index` of `decoder` keeps its feed-forward module.

    Raises:
        InputFault: it keeps none of its own, or keeps experts beside it; the message names the layer.
    """
    layer = _stack(decoder)[index]
    kind = type(layer).__name__
    attribute = next((name for name in FEED_FORWARD if hasattr(layer, name)), None)
    if attribute is None:
        bare = [name for name in ("fc1", "fc2", "wi", "wo") if hasattr(layer, name)]
        why = f"; {' and '.join(bare)} stand bare in the layer" if bare else ""
        children = ", ".join(name for name, _ in layer.named_children())
        raise InputFault(
            "twin.layer.unsupported",
            f"Layer {index} ({kind}) has no feed-forward module of its own{why}; it has {children}.",
            "Choose other layers, or a decoder whose layers keep it in `mlp`.",
            layer=index,
        )
    if hasattr(layer, "experts") and hasattr(layer, "router"):
        raise InputFault(
            "twin.layer.unsupported",
            f"Layer {index} ({kind}) keeps a router and experts beside its `{attribute}`, "
            "so a twin of that alone would be half a twin.",
            "Choose layers without experts beside the feed-forward module.",
            layer=index,
        )
    return Site(index, layer, attribute)


def check_copyable(where: Site, module: nn.Module, kind: str) -> None:
    """Says nothing where `module` can be copied and trained.

    Raises:
        InputFault: its weights are quantised or not in memory; the message names the layer.
    """
    place = f"Layer {where.index} ({type(where.layer).__name__}.{where.attribute})"
    weights = [*module.named_parameters(), *module.named_buffers()]
    if any(value.is_meta for _, value in weights):
        raise InputFault(
            "twin.layer.offloaded",
            f"{place} keeps its weights outside memory.",
            "Load the base without offloading to disk.",
            layer=where.index,
        )
    if kind in {"lowrank", "lowrank_experts"}:
        return
    packed = [name for name, value in weights if not value.is_floating_point() and value.ndim > 1]
    if packed or not any(value.ndim > 1 for _, value in weights):
        raise InputFault(
            "twin.layer.quantised",
            f"{place} is quantised, so a copy of it cannot be trained.",
            'Choose TwinConfig(kind="lowrank"): it leaves the quantised weights where they are.',
            layer=where.index,
        )


def has_experts(module: nn.Module) -> bool:
    """Returns whether a feed-forward module is itself a mixture of experts."""
    return any(value.ndim == 3 for value in module.parameters()) or any(
        name.rpartition(".")[2] == "experts" for name, _ in module.named_modules()
    )
