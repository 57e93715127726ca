"""How often a gate chooses the wrong expert: the only way left for a base to forget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from deixis.learned.twin.gates.prompts import Prompt
from deixis.learned.twin.gates.protocol import Gate


def measure_gate(gate: Gate, prompts: Sequence[Prompt]) -> dict[str, Any]:
    """Returns the confusion table and the misroutes of a gate on prompts that it was not trained on.

    Rates come with their number of prompts and a 95 % interval (Wilson 1927).
    """
    confusion = {kind: {"frozen": 0, "learn": 0} for kind in ("frozen", "learn")}
    abstained, hard_wrong, hard = 0, 0, 0
    wrong_texts: list[dict[str, Any]] = []
    for prompt in prompts:
        decision = gate.decide(prompt.text)
        chosen = "learn" if decision.mode == "learn" else "frozen"
        confusion[prompt.expert][chosen] += 1
        abstained += decision.abstained
        hard += prompt.hard
        if chosen != prompt.expert:
            hard_wrong += prompt.hard
            if len(wrong_texts) < 10:
                wrong_texts.append({"text": prompt.text, "expert": prompt.expert, "score": decision.score})
    frozen, learn = confusion["frozen"], confusion["learn"]
    right = frozen["frozen"] + learn["learn"]
    return {
        "confusion": confusion,
        "accuracy": rate(right, len(prompts)),
        "misrouted_frozen": rate(frozen["learn"], sum(frozen.values())),
        "misrouted_learn": rate(learn["frozen"], sum(learn.values())),
        "misrouted_hard": rate(hard_wrong, hard),
        "abstained": rate(abstained, len(prompts)),
        "examples": wrong_texts,
    }


def rate(count: int, of: int) -> dict[str, Any]:
    """Returns a share with its numbers and its 95 % interval; nulls where there was nothing to count."""
    if not of:
        return {"value": None, "count": count, "n": 0, "interval": None}
    z, share = 1.959964, count / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    reach = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return {
        "value": share,
        "count": count,
        "n": of,
        "interval": [max(0.0, middle - reach), min(1.0, middle + reach)],
    }
