"""The evaluation of the whole loop: verdicts on hand-made answers, and a few episodes with pocket tools."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.agent.profile import load_profile
from deixis.answer import (
    Entity,
    Evidence,
    GroundedAnswer,
    Mention,
    NotFound,
    Region,
    Relation,
    Score,
)
from deixis.errors import InputFault
from deixis.eval.agent import figures
from deixis.eval.agent import table as tables
from deixis.eval.agent.data import Episode, Makes, Seen, Sounded
from deixis.eval.agent.kept import Kept
from deixis.eval.agent.metric import Judged, covered, judged
from deixis.eval.agent.rows import ALONE, FROZEN, NAMES, PIPELINE, RULES, TWIN, Row
from deixis.eval.agent.task import AgentEval, agent
from deixis.eval.agent.world import FIRST, ORDER, episode
from deixis.eval.markdown import command
from deixis.geometry import Box, Size, TimeSpan
from deixis.media.refs import AudioRef, ImageRef

PICTURE, SECOND, SOUND = (f"sha256:{letter * 64}" for letter in "abc")
DOG, CAT = Box(x1=10, y1=10, x2=50, y2=50), Box(x1=80, y1=20, x2=120, y2=60)
BARK = Sounded("bark", "bark", TimeSpan(start_s=1.0, end_s=2.0))
WORLD = Episode(
    "test-0", "pair", "where", "Where is the dog?", things=(Seen("dog", DOG), Seen("cat", CAT)),
    sounds=(BARK,), meant=(0,),
)  # fmt: skip
SURE = Score(value=0.9, kind="detector")


def media() -> tuple[Any, ...]:
    size = Size(width=160, height=120)
    return (
        ImageRef(digest=PICTURE, size=size, format="PNG"),
        ImageRef(digest=SECOND, size=size, format="PNG"),
        AudioRef(digest=SOUND, rate_hz=16_000, channels=1, duration_s=4.0, format="WAV"),
    )


def thing(number: int, label: str, box: Box, medium: str = PICTURE, supported: bool = True) -> Entity:
    seen = (Evidence(tool="detection/fake", version="1", step=1, score=SURE),) if supported else ()
    return Entity(
        id=f"thing-{number}", number=number, kind="thing", label=label, supported=supported,
        regions=(Region(media=medium, box=box, score=SURE),), evidence=seen,
    )  # fmt: skip


def sound(span: TimeSpan, label: str = "bark") -> Entity:
    seen = (Evidence(tool="hearing/fake", version="1", step=1, score=SURE),)
    region = Region(media=SOUND, span=span, score=Score(value=0.9, kind="hearing"))
    return Entity(
        id="sound-1", number=9, kind="sound", label=label, regions=(region,), evidence=seen, supported=True
    )  # fmt: skip


def answer(text: str, *entities: Entity, **more: Any) -> GroundedAnswer:
    mentions = []
    for one in entities:
        start = text.casefold().index(one.label)
        end = start + len(one.label)
        mentions.append(Mention(start=start, end=end, phrase=text[start:end], entities=(one.id,)))
    return GroundedAnswer(
        run="r", question=more.pop("question", "Where is the dog?"), text=text, status="complete",
        profile="fakes", media=media(), entities=entities,
        mentions=tuple(sorted(mentions, key=lambda one: one.start)), **more,
    )  # fmt: skip


def verdict(of: Episode, said: GroundedAnswer) -> Judged:
    return judged("row", of, said)


def test_where_needs_the_right_box_of_the_right_picture_with_evidence() -> None:
    assert verdict(WORLD, answer("The dog is here.", thing(1, "dog", DOG))).right
    near = Box(x1=12, y1=12, x2=50, y2=52)
    assert verdict(WORLD, answer("The dog is here.", thing(1, "dog", near))).right
    for wrong in (
        answer("The dog is here.", thing(1, "dog", CAT)),
        answer("The dog is here.", thing(1, "dog", DOG, SECOND)),
        answer("The dog is here.", thing(1, "dog", DOG, supported=False)),
        answer("The cat is here.", thing(1, "cat", CAT)),
        answer("The dog is here."),
    ):
        assert not verdict(WORLD, wrong).right, wrong
    beside = answer("The dog is left of the cat.", thing(1, "dog", DOG), thing(2, "cat", DOG))
    found = verdict(WORLD, beside)
    assert found.answer and not found.entities and found.wrong == "entities"
    assert (found.claims, found.good) == (2, 1)


def test_denials_must_be_said_of_what_is_asked_for_and_only_then() -> None:
    gone = replace(WORLD, meant=(), absence="absent", denied=("zebra",))
    said = NotFound(phrase="zebras", medium="image", reason="absent")
    assert verdict(gone, answer("There is no zebra.", not_found=(said,))).right
    assert not verdict(gone, answer("There is no zebra.")).right
    found = verdict(gone, answer("The dog is here.", thing(1, "dog", DOG)))
    assert found.off_screen and not found.right
    false = answer("The dog is here.", thing(1, "dog", DOG), not_found=(said,))
    assert verdict(WORLD, false).absence is False


@pytest.mark.parametrize(
    ("task", "value", "right", "wrong"),
    [
        ("count", "2", "There are two dogs.", "There is one dog."),
        ("presence", "yes", "Yes, there is one.", "No, there is none."),
        ("sound_presence", "no", "No, I hear none.", "Yes, I hear it."),
        ("attribute", "brown", "It is brown.", "It is brown and red."),
        ("list", "", "There is a dog and a cat.", "There is a dog and a bus."),
        ("list", "", "There is a dog.", "There is something."),
        ("match", "partly", "In part.", "No, it does not."),
    ],
)
def test_words_are_read(task: str, value: str, right: str, wrong: str) -> None:
    made = (Makes(0),) if task == "match" else ()
    of = replace(WORLD, task=task, value=value, made=made)
    assert verdict(of, answer(right, question="What colour is it?")).answer
    assert not verdict(of, answer(wrong, question="What colour is it?")).answer


def test_names_of_sounds_are_no_things() -> None:
    of = replace(WORLD, task="caption", sounds=(Sounded("helicopter", "helicopter", BARK.span),))
    text = "There is a dog and a cat. I hear a helicopter."
    assert verdict(of, answer(text, sound(BARK.span, "helicopter"))).right
    assert not verdict(of, answer("There is a dog, a cat and a helicopter.")).right


def test_relations_are_of_the_sound_and_what_makes_it() -> None:
    of = replace(WORLD, task="sound_source", value="dog", made=(Makes(0, (0,)),), question="What barks?")
    heard, dog, cat = sound(BARK.span), thing(1, "dog", DOG), thing(2, "cat", CAT)

    def tied(to: str | None, is_: Any) -> tuple[Relation, ...]:
        return (Relation(sound="sound-1", thing=to, verdict=is_),)

    text = "The dog makes the bark, not the cat."
    assert verdict(of, answer(text, dog, heard, cat, relations=tied("thing-1", "matched"))).right
    assert not verdict(of, answer(text, dog, heard, cat, relations=tied("thing-2", "matched"))).right
    assert not verdict(of, answer(text, dog, heard, cat, relations=tied(None, "unknown"))).right
    nobody = replace(of, value="nothing", absence="unrelated_sound", made=(Makes(0),))
    text = "Nothing in the picture makes the bark."
    assert verdict(nobody, answer(text, heard, relations=tied(None, "unmatched"), relation="unmatched")).right
    assert not verdict(nobody, answer(text, heard, relation="unknown")).right
    claimed = verdict(
        nobody, answer("The dog makes the bark.", dog, heard, relations=tied("thing-1", "matched"))
    )
    assert claimed.off_screen and claimed.relation is False


def test_times_count_by_what_they_cover() -> None:
    halves = [TimeSpan(start_s=1.0, end_s=1.4), TimeSpan(start_s=1.5, end_s=2.0)]
    assert covered(halves, [BARK.span]) == pytest.approx(0.9)
    assert covered([TimeSpan(start_s=3.0, end_s=4.0)], [BARK.span]) == 0.0
    of = replace(WORLD, task="when", meant=(), heard=(0,))
    assert verdict(of, answer("The bark is heard.", sound(BARK.span))).right
    assert not verdict(of, answer("The bark is heard.", sound(TimeSpan(start_s=1.8, end_s=3.0)))).right


def test_episodes_are_a_function_of_their_number() -> None:
    for number in (0, 1, 3, 7):
        one, again = episode(number, "validation"), episode(number, "validation")
        assert one is not None and again is not None and one.kind == ORDER[number]
        assert one == replace(again, pictures=one.pictures, sounds_at=one.sounds_at)
        assert all(np.array_equal(a, b) for a, b in zip(one.pictures, again.pictures, strict=True))
        other = episode(number, "test")
        assert other is None or other.question != one.question or other.things != one.things
    assert FIRST["test"] < 100_000 <= 900_000 <= FIRST["validation"] < 1_000_000 - 20_000 - 500


def test_rows_of_the_world_go_on_where_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toolbox = load_profile("pocket").toolbox(None)
    keep = tmp_path / "kept.jsonl"
    told: list[tuple[int, int]] = []
    options: dict[str, Any] = {"split": "validation", "keep": keep}
    report = AgentEval(2, ("pipeline", "rules"), **options).run(
        None, toolbox, lambda done, total: told.append((done, total))
    )
    assert told[-1] == (4, 4) and report.items == 2
    names = {one.name for one in report.measures}
    assert {figures.ALL, "answer right", "absence said", "steps", f"{RULES} before {PIPELINE}"} <= names
    assert any(one.name == f"{PIPELINE}: {figures.ALL}" for one in report.baselines)
    (tmp_path / "report.json").write_text(report.model_dump_json(), "utf-8")
    command(
        "deixis.eval.agent.table",
        tables.table,
        [str(tmp_path / "report.json"), "--out", str(tmp_path / "table.md")],
    )
    rows = [line for line in (tmp_path / "table.md").read_text("utf-8").splitlines() if line[:1] == "|"]
    assert [row.split(" | ")[0] for row in rows[2:]] == [f"| {PIPELINE}", f"| {RULES}"]
    assert len({row.count(" | ") for row in rows}) == 1 and figures.ALL in rows[0]
    kept = keep.read_text("utf-8").splitlines()
    assert len(kept) == 4
    keep.write_text("\n".join([*kept[:3], kept[3][:40]]), "utf-8")  # the last line was cut short
    asked: list[str] = []
    judge = Row.judge

    def counted(self: Row, one: Episode) -> Judged:
        asked.append(f"{self.name} {one.id}")
        return judge(self, one)

    monkeypatch.setattr(Row, "judge", counted)
    again = AgentEval(2, ("pipeline", "rules"), **options).run(None, toolbox, lambda *_: None)
    assert len(asked) == 1
    assert [one.value for one in again.measures if one.name == figures.ALL] == [
        one.value for one in report.measures if one.name == figures.ALL
    ]


def test_rows_without_weights_are_told(tmp_path: Path) -> None:
    task = AgentEval(1, ("rules", "twin"), "validation", str(tmp_path / "none"), "", tmp_path / "kept.jsonl")
    report = task.run(None, load_profile("pocket").toolbox(None), lambda *_: None)
    assert any("stepwise, twin: skipped" in note for note in report.notes)
    assert report.items == 1
    with pytest.raises(InputFault) as caught:
        AgentEval(1, ("twin",), "validation", str(tmp_path / "none")).run(
            None, load_profile("pocket").toolbox(None), lambda *_: None
        )
    assert caught.value.code == "eval.agent.rows"


def test_rows_of_a_model_end_in_verdicts(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("llguidance")
    from deixis.learned.mllm import load, new_model
    from deixis.learned.twin import TwinConfig, graft

    model, processor = new_model("tiny", both_ways=False)
    model.save_pretrained(tmp_path / "base")
    processor.save_pretrained(tmp_path / "base")
    graft(load(tmp_path / "base")[0], TwinConfig(kind="lowrank", rank=2)).save(tmp_path / "twin")
    folders = str(tmp_path / "base"), str(tmp_path / "twin")
    task = AgentEval(1, ("twin", "alone", "frozen"), "validation", *folders, tmp_path / "kept.jsonl", "learn")
    report = task.run(None, load_profile("pocket").toolbox(None), lambda *_: None)
    assert report.notes[0].startswith(f"measures: {TWIN};")
    systems = tables.systems(report)
    assert set(systems) == {TWIN, ALONE, FROZEN}
    for name, row in systems.items():  # random weights: rules answer, and it is counted
        assert row["planner given up"].value == 1.0 and row["answer right"].n == 1, name
    alone = AgentEval(1, ("twin", "frozen"), "validation", folders[0], "", tmp_path / "other.jsonl")
    report = alone.run(None, load_profile("pocket").toolbox(None), lambda *_: None)
    assert set(tables.systems(report)) == {FROZEN} and any("--adapter" in note for note in report.notes)


@pytest.mark.parametrize("options", [{"episodes": "0"}, {"episodes": "many"}, {"split": "train"}])
def test_options_that_do_not_fit(options: dict[str, str]) -> None:
    with pytest.raises(InputFault) as caught:
        agent(**options)
    assert caught.value.code == "eval.agent.option"
    odd = AgentEval(1, ("nobody",), keep=None)
    with pytest.raises(InputFault):
        odd.run(None, load_profile("pocket").toolbox(None), lambda *_: None)
    assert set(NAMES) == {"pipeline", "alone", "rules", "twin", "frozen"}


def test_differences_are_paired() -> None:
    def row(name: str, *right: bool) -> list[Judged]:
        return [
            Judged(row=name, episode=str(k), kind="picture", task="where", answer=one, entities=True)
            for k, one in enumerate(right)
        ]

    found = {"a": row("a", True, True, False, True), "b": row("b", True, False, False, True)[1:]}
    (only,) = figures.differences(found, "a")
    assert only.n == 3 and only.value == pytest.approx(1 / 3) and only.low <= only.value <= only.high
    assert Kept(None).get("v", "a", "0") is None


@pytest.mark.shared
def test_real_photos_and_sounds_become_episodes(shared: Path) -> None:
    from deixis.eval.agent.photos import episodes

    found = list(episodes(shared / "data", 60, "test"))
    assert len(found) == 60 and {one.kind for one in found} == {"photo", "photo pair"}
    assert all(Path(path).is_file() for one in found for path in (*one.pictures, *one.sounds_at))
    assert {one.task for one in found} >= {"where", "presence", "count", "sound_source"}
    tuned = list(episodes(shared / "data", 10, "validation"))
    assert {one.kind for one in tuned} == {"photo"} and not {one.id for one in tuned} & {o.id for o in found}
