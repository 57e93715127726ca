"""The gate: a classifier of prompts, trained on questions of both kinds, stored beside the twin."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from deixis.errors import InputFault
from deixis.learned.provenance import revision
from deixis.learned.training.dialogues import read_samples
from deixis.learned.twin.gates.classifier import PromptGate, prompt_mark, train_gate
from deixis.learned.twin.gates.measure import measure_gate
from deixis.learned.twin.gates.prompts import Prompt, read_prompts

HELD = 5
"""One prompt of so many is held out, by its digest."""
PLACES = re.compile(r"\b(where|left|right|above|below|under|over|behind|beside|near|which|between)\b", re.I)
POINTS = re.compile(r"\b(box|boxes|region|point|locate|where|coordinates|mark|outline|mask)\b", re.I)


def gather(learn: Iterable[str], frozen: Iterable[str]) -> tuple[list[Prompt], list[str]]:
    """Returns prompts of both kinds, each text once, and the texts that are of both kinds and so left out.

    An understanding question with words of place is hard, and so is a grounding one without a word that asks
    to point.
    """
    wanted = {" ".join(text.split()): None for text in learn}
    plain = {" ".join(text.split()): None for text in frozen}
    both = sorted(set(wanted) & set(plain))
    prompts = [
        Prompt(text=text, expert="learn", hard=not POINTS.search(text))
        for text in wanted
        if text not in plain
    ]
    prompts += [
        Prompt(text=text, expert="frozen", hard=bool(PLACES.search(text)))
        for text in plain
        if text not in wanted
    ]
    return prompts, both


def train_gate_stage(
    prompts: Sequence[Prompt], seed: int = 0, false_learn: float = 0.0
) -> tuple[PromptGate, dict[str, Any]]:
    """Returns a gate trained on four of five prompts, and the card with its figures on the fifth.

    Args:
        prompts: of both kinds.
        seed: of the split that sets the threshold.
        false_learn: the share of understanding prompts that may go to the twin, in that split.

    Raises:
        InputFault: a kind of prompt is missing.
    """
    began = time.monotonic()
    held = [prompt for prompt in prompts if int(prompt_mark(prompt.text)) % HELD == 0]
    shown = [prompt for prompt in prompts if int(prompt_mark(prompt.text)) % HELD]
    gate = train_gate(shown, false_learn=false_learn, seed=seed)
    if not held:
        raise InputFault(
            "train.gate.few", "Too few prompts: none is left to measure the gate with.", "Give more prompts."
        )
    card = {
        "stage": "gate",
        "commit": revision(),
        "prompts": {kind: sum(prompt.expert == kind for prompt in shown) for kind in ("learn", "frozen")},
        "held_out": measure_gate(gate, held),
        "threshold": gate.threshold,
        "seconds": round(time.monotonic() - began, 1),
    }
    return gate, card


def gathered(
    samples: Sequence[Path], conversations: Sequence[Path], prompts: Sequence[Path]
) -> tuple[list[Prompt], list[str]]:
    """Returns the prompts of SCOUT samples (the twin's), of conversations (the base's), and of prompt files.

    `conversations` are folders that stage U kept its data in, or ``conversations.jsonl`` files.
    """
    learn = [sample.question for sample in read_samples(samples)] if samples else []
    frozen = [question for path in conversations for question in _questions(path)]
    for path in prompts:
        for prompt in read_prompts(path):
            (learn if prompt.expert == "learn" else frozen).append(prompt.text)
    return gather(learn, frozen)


def _questions(path: Path) -> list[str]:
    files = sorted(path.rglob("conversations.jsonl")) if path.is_dir() else [path]
    try:
        lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
        # A turn with a fourth part is answered by coordinates: what the twin is for.
        found = [str(turn[0]) for line in lines for turn in json.loads(line)["turns"] if len(turn) == 3]
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise InputFault(
            "train.gate.conversations",
            f"The conversations in {path} cannot be read: {error}",
            "Name the data folder of stage understand.",
        ) from error
    if not found:
        raise InputFault(
            "train.gate.conversations",
            f"{path} holds no conversations.",
            "Name the data folder of stage understand.",
        )
    return found


def store_gate(gate: PromptGate, base: Path, adapter: Path) -> None:
    """Puts the gate into the adapter folder of a twin of the pocket MLLM `base`."""
    from deixis.learned.mllm.build import load
    from deixis.learned.twin import attach
    from deixis.learned.twin.folder import is_short

    twin = attach(load(base)[0], adapter)
    twin.gate = gate
    twin.save(adapter, half=is_short(adapter))
