"""The systems that are compared: base, full fine-tune, LoRA on and switched, twin, external grounder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from deixis.errors import InputFault, MissingExtra
from deixis.eval.mllm.data import Ask
from deixis.eval.mllm.grounder import External
from deixis.eval.mllm.media import Host, Rows
from deixis.eval.mllm.talking import Reply, Speaker, Way

FULL, LORA = "full/model", "lora/adapter"
LOSSES = ("step_mean", "token_mean")
"""Where `deixis.eval.mllm.baselines` puts what it trains: twins in ``LOSS/twin``."""


class Expert(Protocol):
    """Something that answers. Experts of one `key` answer alike, so that they are asked once."""

    @property
    def key(self) -> str:
        """Returns what it is known by."""
        ...

    def replies(
        self, asks: Sequence[Ask], way: Way, told: Callable[[int], None], logits: bool = False
    ) -> list[Reply]:
        """Returns the replies, in order."""
        ...


@dataclass(frozen=True)
class Spoken:
    """A model under a switch that is held for all that it writes."""

    key: str
    speaker: Speaker
    held: Callable[[], AbstractContextManager[Any]] = nullcontext

    def replies(
        self,
        asks: Sequence[Ask],
        way: Way,
        told: Callable[[int], None] = lambda done: None,
        logits: bool = False,
    ) -> list[Reply]:
        """Returns the replies, in order; `logits` keeps those of the first piece of writing."""
        return self.speaker.replies(asks, way, self.held, told, logits)


@dataclass(frozen=True)
class System:
    """What is compared.

    Attributes:
        name: as it is reported.
        learn: answers where regions are asked for.
        frozen: answers what is to be understood.
        writes: whether `learn` can be asked for coordinates.
        gate: chooses between the two by the prompt; None where the caller does.
        parameters: that were trained.
    """

    name: str
    learn: Expert
    frozen: Expert
    writes: bool = True
    gate: Any = None
    parameters: int = 0


@dataclass(frozen=True)
class Opened:
    """The systems, the twin first, and the base."""

    twin: System
    base: System
    others: tuple[System, ...]


def opened(
    base: Path,
    adapter: Path,
    baselines: Path | None,
    rows: Rows,
    host: Host,
    batch: int,
    device: str = "cpu",
) -> Opened:
    """Returns the systems: those of `baselines` as far as they are there.

    Each has a model of its own, so that the base is one that nothing was ever grafted onto.

    Raises:
        InputFault: a folder does not hold what it should, or the twin is of another base.
    """
    from deixis.learned.mllm.build import load
    from deixis.learned.twin import layout

    stored = layout.read_config(adapter)
    dtype = str(stored.get("base", {}).get("dtype") or "float32")

    def speaker(folder: Path) -> Speaker:
        loaded: tuple[Any, Any] = load(folder, dtype)
        model, processor = loaded
        return Speaker(model.to(device), processor, rows, host, batch)

    plain = Spoken("base", speaker(base))
    twin = _twin("twin", speaker(base), adapter)
    others = [System("external grounder", External(host, plain), plain, writes=False, gate=twin.gate)]
    if baselines is not None:
        others = [*_trained(base, baselines, speaker, twin.gate), *others]
    return Opened(twin, System("base alone", plain, plain), tuple(others))


def _twin(name: str, speaker: Speaker, adapter: Path) -> System:
    from deixis.learned.twin import attach
    from deixis.learned.twin.gates.features import prompt_embedder

    twin = attach(speaker.model, adapter, embed=prompt_embedder(speaker.model, speaker.tokenizer))
    return System(
        name,
        Spoken(f"{name} on", speaker, partial(twin.using, "learn")),
        Spoken(f"{name} off", speaker, partial(twin.using, "frozen")),
        gate=twin.gate,
        parameters=sum(value.numel() for value in twin.parameters()),
    )


def _trained(base: Path, folder: Path, speaker: Callable[[Path], Speaker], gate: Any) -> list[System]:
    """Returns the systems that were trained on the twin's data.

    Raises:
        InputFault: the folder has none of them.
    """
    found: list[System] = []
    if (folder / FULL).is_dir():
        full = Spoken("full", speaker(folder / FULL))
        count = sum(value.numel() for value in full.speaker.model.parameters() if value.requires_grad)
        found.append(System("full fine-tune", full, full, parameters=count))
    if (folder / LORA).is_dir():
        found += _lora(speaker(base), folder / LORA, gate)
    for loss in LOSSES:
        if (folder / loss / "twin").is_dir():
            found.append(_twin(f"twin by {loss}", speaker(base), folder / loss / "twin"))
    if not found:
        raise InputFault(
            "eval.mllm.baselines",
            f"{folder} holds no trained baselines.",
            "Train them: python -m deixis.eval.mllm.baselines --base FOLDER --samples FOLDER --out FOLDER",
        )
    return found


def _lora(speaker: Speaker, folder: Path, gate: Any) -> list[System]:
    """Returns LoRA always on, and switched; PEFT changes the speaker's model in place."""
    try:
        from peft import PeftModel
    except ImportError as error:
        raise MissingExtra("learned", "peft", "The LoRA baselines") from error
    try:
        wrapped: Any = PeftModel.from_pretrained(speaker.model, str(folder))
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise InputFault(
            "eval.mllm.lora", f"{folder} holds no LoRA of this base: {error}", "Train it again."
        ) from error
    wrapped.eval()
    count = sum(value.numel() for name, value in wrapped.named_parameters() if "lora_" in name)
    on = Spoken("LoRA on", speaker)
    off = Spoken("LoRA off", speaker, wrapped.disable_adapter)
    return [
        System("LoRA, always on", on, on, parameters=count),
        System("LoRA, switched", on, off, gate=gate, parameters=count),
    ]
