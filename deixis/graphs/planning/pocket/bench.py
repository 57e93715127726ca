"""``python -m deixis.graphs.planning.pocket.bench --json FILE``: what a kept cache saves over a run.

A run of six steps about a drawn picture is gone through as the planner does it, with the steps of the
training form written by dictation, so that the figures do not hang on how well a model plans: once with the
keys and values kept from step to step, once as the naive loop does, which reads everything again for each
step. Both are really computed, and what the model would write next must be the same.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deixis.graphs.planning.pocket.asking import Situation, situation
from deixis.graphs.planning.pocket.weights import Opened, opened
from deixis.graphs.planning.pocket.writing import Expert, Pen
from deixis.graphs.planning.protocol import Medium, PlanRequest
from deixis.learned.mllm.dialogue import encode
from deixis.learned.mllm.tokens import END, END_CALL
from deixis.learned.scout.sample import Sample
from deixis.learned.scout.sources import SampleMedia, drawn_medium, world_source
from deixis.learned.scout.tape import Tape
from deixis.learned.scout.world import pointing
from deixis.learned.scout.world.imagined import Imagined
from deixis.learned.scout.world.known import Known
from deixis.learned.scout.world.looking import look, read_out
from deixis.learned.scout.world.spec import NoiseSpec
from deixis.learned.world.scenes import SceneSpec, scene
from deixis.tools.tagging.protocol import TagRequest, TagResult
from deixis.trace import Step

FIRST_SEED = 980_000
"""Validation seeds; the tokens of a run do not hang on whether anybody was tuned on it."""
STEPS = 6
ALIKE = 1e-3
"""Most difference of a logit by the rounding of other matrix shapes."""


def runs(count: int) -> list[Sample]:
    """Returns samples of six steps, one a seed: names, everything that shows, and then one of several."""
    found: list[Sample] = []
    for seed in range(FIRST_SEED, FIRST_SEED + 50 * count):
        if len(found) >= count:
            break
        found += _run(seed)
    return found


def _run(seed: int) -> list[Sample]:
    """Returns the run about the scene of a seed; none where the scene has nothing to tell apart."""
    drawn = scene(seed)
    medium = drawn_medium(world_source("scene", seed, SceneSpec()), drawn.pixels, None)
    known, rng = Known((medium,), seed, drawn), np.random.default_rng([seed, 81])
    tape = Tape(Imagined(known, NoiseSpec().times(0), rng))
    several, related = pointing.several(known, rng), pointing.related(known, rng)
    if not several and not related:
        return []
    step = tape.step("find")
    tape.call(step, "tagging", TagRequest(image=medium.image), TagResult)
    step.words.say(f"I see {', '.join(dict.fromkeys(known.names))}.")
    read_out(look(tape, known, (), (), rng, everything=True), known, {}, rng)
    draft = (
        pointing.which(known, tape, rng, several[0])
        if several
        else pointing.relation(known, tape, rng, related[0])
    )
    made = Sample(media=(medium,), question=draft.question, task=draft.task, steps=tape.steps())
    return [made] if len(made.steps) == STEPS else []


def measured(given: Opened, sample: Sample, expert: Expert = "frozen") -> dict[str, Any]:
    """Returns tokens and processor seconds of one run, with the cache kept and by the naive loop."""
    media = SampleMedia(sample.media)
    sizes = (given.model.config.picture_tokens, given.model.config.sound_tokens)
    whole = encode(sample, given.tokenizer, "proposals", *sizes).input_ids
    kept, naive = Pen(given), Pen(given)
    seconds = {"kept": 0.0, "naive": 0.0}
    apart = 0.0
    for now in prompts(sample):
        encoded = now.encoded(given.tokenizer, "proposals", sizes)
        if whole[: len(encoded)] != encoded.input_ids:
            raise RuntimeError("a prompt is no beginning of the dialogue")
        last: list[Any] = []
        for name, pen in (("kept", kept), ("naive", naive)):
            begun = time.process_time()
            if name == "naive":
                pen.forget()
            dialogue = pen.begin(encoded, now.media, media, expert)
            last.append(dialogue.last)
            # What is written goes through the decoder once in either loop; with the cache it stays there.
            pen.put(dialogue, whole[len(encoded) : _end(whole, len(encoded), now.reads, given)])
            seconds[name] += time.process_time() - begun
        apart = max(apart, float((last[0] - last[1]).abs().max()))
    return {
        "final_length": len(whole),
        "prompt_tokens_kept": kept.read,
        "prompt_tokens_naive": naive.read,
        "decoded_kept": kept.read + kept.put_down,
        "decoded_naive": naive.read + naive.put_down,
        "processor_seconds_kept": round(seconds["kept"], 3),
        "processor_seconds_naive": round(seconds["naive"], 3),
        "largest_difference_of_a_logit": apart,
    }


def prompts(sample: Sample) -> list[Situation]:
    """Returns what the planner is asked over the run of a sample: after each call, and after each step."""
    pictures = [Medium(number=1, ref=one.image) for one in sample.images]
    found: list[Situation] = []
    for count in range(len(sample.steps)):
        before = sample.steps[:count]
        open_step: tuple[Step, ...] = before
        reads = bool(before and before[-1].actions)
        if reads:
            open_step = (*before[:-1], before[-1].model_copy(update={"text": "", "spans": ()}))
        request = PlanRequest(question=sample.question, media=tuple(pictures), trace=open_step, reads=reads)
        found.append(situation(request))
    return found


def _end(whole: Sequence[int], start: int, reads: bool, given: Opened) -> int:
    """Returns where the planner's reply to a prompt ends: at its call, or before the end of its step.

    The last token is read with the prompt that it stands in, as in a run. Where words of an open step come
    first, that step's own end is passed over.
    """
    number = given.tokenizer.convert_tokens_to_ids
    ends = 2 if reads else 1
    for place in range(start, len(whole)):
        ends -= whole[place] == int(number(END))
        if not ends or whole[place] == int(number(END_CALL)):
            return place
    return len(whole)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints, and writes the numbers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base", default="", help="folder of a pocket MLLM; a new one if empty")
    parser.add_argument("--adapter", default="", help="folder of its twin")
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    given = opened(chosen.base, chosen.adapter) if chosen.base else _new()
    expert: Expert = "learn" if given.twin is not None else "frozen"
    rows = [measured(given, sample, expert) for sample in runs(chosen.runs)]
    report = summary(rows, chosen.base or "a new model of random weights")
    print(json.dumps(report, indent=1))
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def summary(rows: Sequence[dict[str, Any]], model: str) -> dict[str, Any]:
    """Returns the shares of the final length over runs: the mean with its 95 % interval, and the worst."""
    rng = np.random.default_rng(0)
    found: dict[str, Any] = {"model": Path(model).name, "runs": len(rows), "steps": STEPS, "bar": 1.2}
    for name in ("kept", "naive"):
        shares = np.array([row[f"decoded_{name}"] / row["final_length"] for row in rows])
        draws = [shares[rng.integers(0, len(shares), len(shares))].mean() for _ in range(1000)]
        low, high = np.percentile(draws, [2.5, 97.5])
        found[name] = {
            "tokens_over_final_length": round(float(shares.mean()), 4),
            "low": round(float(low), 4),
            "high": round(float(high), 4),
            "most": round(float(shares.max()), 4),
            "processor_seconds": round(sum(row[f"processor_seconds_{name}"] for row in rows), 3),
        }
    worst = max(row["largest_difference_of_a_logit"] for row in rows)
    found["largest_difference_of_a_logit"] = worst
    found["same"] = worst <= ALIKE
    return found


def _new() -> Opened:
    from deixis.learned.mllm.build import new_model

    model, processor = new_model("small")
    return Opened(model, processor, None, "")


if __name__ == "__main__":
    main()
