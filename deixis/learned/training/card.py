"""The card of what was trained: data, licence, figures, the commit, the time it took."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from deixis.errors import InputFault
from deixis.learned.provenance import revision
from deixis.learned.publish import write_whole
from deixis.learned.training.loop import Trained
from deixis.learned.training.plan import Plan

CARD, PAGE = "training.json", "README.md"
LICENCE = "Apache-2.0"


def described(stage: str, trained: Trained, plan: Plan, parameters: int, **facts: Any) -> dict[str, Any]:
    """Returns the card of a training as JSON-like data.

    Args:
        stage: understand, ground.
        trained: what came of it.
        plan: how it was trained.
        parameters: that were trained.
        facts: ``data`` and whatever else is to be known.
    """
    import torch
    import transformers

    where = torch.cuda.get_device_name() if torch.cuda.is_available() and not plan.cpu else "CPU"
    return {
        "stage": stage,
        "licence": LICENCE,
        "commit": revision(),
        "runs": list(trained.runs),
        "steps": trained.steps,
        "seconds": round(trained.seconds, 1),
        "trained_parameters": parameters,
        "figures": {name: round(value, 5) for name, value in trained.figures.items()},
        **facts,
        "plan": plan.model_dump(mode="json"),
        "machine": f"{where}, {platform.machine()}, {torch.get_num_threads()} threads",
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }


def card_of(folder: Path) -> Path | None:
    """Returns the card in a folder or, as that of a twin lies, beside it; None where there is none."""
    return next((card for card in (folder / CARD, folder.parent / CARD) if card.is_file()), None)


def read_card(folder: Path) -> dict[str, Any]:
    """Returns what the card of a folder says; nothing where there is none.

    Raises:
        InputFault: it is no JSON object.
    """
    place = card_of(folder)
    try:
        card = json.loads(place.read_text("utf-8")) if place else {}
        if not isinstance(card, dict):
            raise ValueError("it is no object")
    except ValueError as error:
        raise InputFault(
            "train.card.broken",
            f"The {CARD} of {folder.name} cannot be read: {error}",
            "Remove or restore it.",
        ) from error
    return card


def write_card(folder: Path, card: dict[str, Any], page: bool = True) -> None:
    """Writes the card as JSON and, with `page`, as a page that people read."""
    write_whole((json.dumps(card, indent=1) + "\n").encode(), folder / CARD)
    if not page:
        return
    rows = [
        (name, card[name])
        for name in ("stage", "licence", "commit", "steps", "seconds", "trained_parameters", "machine")
    ]
    rows += [
        (f"run from step {run['from']}", f"{run['steps']} steps planned, {run['commit']}")
        for run in card["runs"]
    ]
    rows += [(name, value) for name, value in {**card.get("data", {}), **card["figures"]}.items()]
    table = "\n".join(f"| {name.replace('_', ' ')} | {value} |" for name, value in rows)
    text = (
        f"---\nlicense: {LICENCE.lower()}\nlibrary_name: deixis\n---\n\n# Pocket MLLM: {card['stage']}\n\n"
        "Trained in deixis's illustrated world: drawn scenes and everyday sounds, no photographs. It does "
        f"not know the real world.\n\n| | |\n| --- | --- |\n{table}\n\nAll settings are in `{CARD}`.\n"
    )
    write_whole(text.encode(), folder / PAGE)
