"""The prompt classifier: a logistic regression on the text, or on the frozen model's embedding of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deixis.errors import InputFault
from deixis.learned.twin.gates.decision import Decision, decided
from deixis.learned.twin.gates.features import BUCKETS, Embed, hashed, hashed_rows
from deixis.learned.twin.gates.prompts import Prompt

WEIGHTS = "classifier.safetensors"


class PromptGate:
    """Chooses the twin where the probability of a grounding prompt reaches the threshold.

    Between ``1 - threshold`` and the threshold the gate abstains, and an abstention is the frozen expert.

    Attributes:
        weights: [features], bias: a number, of the regression.
        threshold: 0.5 or more, below 1.
        embed: None for hashed text; else the function that the gate was trained with.
        seen: uint64, the marks of the prompts that it was trained on, so that nobody measures with them.
    """

    kind = "classifier"

    def __init__(
        self,
        weights: npt.NDArray[np.float32],
        bias: float,
        threshold: float = 0.5,
        embed: Embed | None = None,
        seen: npt.NDArray[np.uint64] | None = None,
    ) -> None:
        if not 0.5 <= threshold < 1.0:
            raise InputFault(
                "twin.gate.threshold", f"The threshold is {threshold}.", "Give 0.5 or more, below 1."
            )
        self.weights = weights
        self.bias = bias
        self.threshold = threshold
        self.embed = embed
        self.seen = np.zeros(0, np.uint64) if seen is None else seen

    def score(self, prompt: str) -> float:
        """Returns the probability, 0 to 1, that the prompt is meant for the twin; NaN for an empty one."""
        vector = self.embed(prompt) if self.embed else hashed(prompt, len(self.weights))
        if not np.any(vector):
            return math.nan
        return float(_sigmoid(np.asarray(vector @ self.weights + self.bias)))

    def decide(self, prompt: str) -> Decision:
        """Returns the twin from the threshold on, the frozen expert else; also where no score can be had."""
        score = self.score(prompt)
        facts: dict[str, Any] = {"score_kind": "probability of learn", "threshold": self.threshold}
        if not math.isfinite(score):
            return decided("classifier", "frozen", abstained=True, reason="no score", **facts)
        if score >= self.threshold:
            return decided("classifier", "learn", score=score, **facts)
        unsure = score > 1 - self.threshold
        reason = "unsure" if unsure else ""
        return decided("classifier", "frozen", score=score, abstained=unsure, reason=reason, **facts)

    def settings(self) -> dict[str, Any]:
        """Returns threshold, bias and what the features are."""
        return {
            "kind": self.kind,
            "features": "embedding" if self.embed else "hashed",
            "size": len(self.weights),
            "bias": self.bias,
            "threshold": self.threshold,
            "labels": ["frozen", "learn"],
        }

    def save(self, folder: Path) -> None:
        """Writes the weights."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        weights = np.ascontiguousarray(self.weights, np.float32)
        save_file({"weights": weights, "seen": np.ascontiguousarray(self.seen)}, folder / WEIGHTS)

    def has_seen(self, prompt: str) -> bool:
        """Returns whether the gate was trained on this prompt."""
        return bool(np.isin(prompt_mark(prompt), self.seen))


def train_gate(
    prompts: Sequence[Prompt],
    *,
    embed: Embed | None = None,
    false_learn: float = 0.0,
    decay: float = 1e-4,
    rounds: int = 400,
    seed: int = 0,
) -> PromptGate:
    """Returns a gate trained on four fifths of the prompts, with its threshold set on the other fifth.

    The threshold is the lowest at which at most `false_learn` of that fifth's frozen prompts would go to the
    twin: these are the misroutes by which a base forgets. Both kinds weigh the same, however many there are.

    Raises:
        InputFault: a kind of prompt is missing.
    """
    labels = np.array([prompt.expert == "learn" for prompt in prompts])
    if labels.sum() < 2 or (~labels).sum() < 2:
        raise InputFault(
            "twin.gate.corpus",
            f"There are {int(labels.sum())} prompts for the twin, "
            f"{int((~labels).sum())} for the frozen expert.",
            "Give at least two of each, better hundreds, with hard ones among them.",
        )
    texts = [prompt.text for prompt in prompts]
    rows = np.stack([embed(text) for text in texts]) if embed else hashed_rows(texts, BUCKETS)
    held = _held_out(labels, np.random.default_rng(seed))
    weights, bias = _fitted(rows[~held], labels[~held], decay, rounds)
    scores = _sigmoid(rows[held] @ weights + bias)
    frozen = np.sort(scores[~labels[held]])[::-1]
    allowed = int(false_learn * len(frozen))
    worst = float(frozen[allowed]) if allowed < len(frozen) else 0.0
    # Just above the best-scored frozen prompt that must stay frozen, and never below an even chance.
    threshold = min(max(0.5, worst + 1e-3), 0.999)
    seen = np.unique(np.array([prompt_mark(text) for text in texts], np.uint64))
    return PromptGate(weights.astype(np.float32), float(bias), threshold, embed, seen)


def prompt_mark(prompt: str) -> np.uint64:
    """Returns 64 bits by which a prompt is known, whatever its case and spaces."""
    plain = " ".join(prompt.casefold().split())
    return np.uint64(int.from_bytes(hashlib.sha256(plain.encode()).digest()[:8], "big"))


def _held_out(labels: npt.NDArray[np.bool_], random: np.random.Generator) -> npt.NDArray[np.bool_]:
    held = np.zeros(len(labels), bool)
    for kind in (True, False):
        members = random.permutation(np.flatnonzero(labels == kind))
        held[members[: max(1, len(members) // 5)]] = True
    return held


def _fitted(
    rows: npt.NDArray[np.float32], labels: npt.NDArray[np.bool_], decay: float, rounds: int
) -> tuple[npt.NDArray[np.float32], float]:
    """Returns weights and bias after accelerated gradient descent (Nesterov 1983) on the balanced loss."""
    share = np.where(labels, 0.5 / max(labels.sum(), 1), 0.5 / max((~labels).sum(), 1)).astype(np.float32)
    weights, bias = np.zeros(rows.shape[1], np.float32), 0.0
    ahead, ahead_bias = weights.copy(), 0.0
    # Rows have length one, so with the bias the loss is 1/2-smooth at most.
    rate = 2.0
    for step in range(rounds):
        error = (_sigmoid(rows @ ahead + ahead_bias) - labels) * share
        following = ahead - rate * (error @ rows + decay * ahead)
        following_bias = ahead_bias - rate * float(error.sum())
        momentum = step / (step + 3)
        ahead = following + momentum * (following - weights)
        ahead_bias = following_bias + momentum * (following_bias - bias)
        weights, bias = following.astype(np.float32), following_bias
    return weights, bias


def _sigmoid(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)))
