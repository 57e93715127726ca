"""Events against the truth: what counts as found, as missed, as false."""

from __future__ import annotations

from pathlib import Path

import pytest

from deixis.answer import Score
from deixis.errors import InputFault
from deixis.eval.events.metric import Truth, judge, within
from deixis.eval.events.task import events, read_scenes
from deixis.eval.hear.task import hits, ranked
from deixis.eval.sounds import classes_of, says
from deixis.geometry import TimeSpan
from deixis.tools.hearing import ClipLabel, HearResult, SoundEvent
from deixis.tools.hearing.ontology import ontology
from deixis.tools.toolbox import Toolbox

pytestmark = pytest.mark.shared


def event(label: str, start: float, end: float) -> SoundEvent:
    found = ontology().named(label)
    assert found is not None
    span = TimeSpan(start_s=start, end_s=end)
    return SoundEvent(label=label, span=span, score=Score(value=0.8, kind="hearing"), class_id=found.id)


def truth(label: str, start: float, end: float) -> Truth:
    return Truth(label, classes_of(label), TimeSpan(start_s=start, end_s=end))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("dog bark", {"dog", "bark"}),
        ("car_horn", {"vehicle horn, car horn, honking"}),
        ("human_voice", {"human voice"}),
        ("hens", {"chicken, rooster"}),
        ("caption: A person snoring", {"snoring"}),
        ("caption: A gun fires multiple times", {"gunshot, gunfire"}),
        ("thunder storm", {"thunderstorm"}),
        ("zzz", set()),
    ],
)
def test_free_words_are_read_as_classes(text: str, named: set[str]) -> None:
    labels = {ontology()[class_id].label for class_id in classes_of(text)}
    assert named <= labels if named else not labels


def test_a_kind_says_the_class_and_so_does_the_direct_parent_only() -> None:
    graph = ontology()
    ids = {
        name: graph.named(name).id for name in ("bark", "dog", "animal", "cat", "male speech, man speaking")
    }
    assert says(ids["bark"], ids["dog"])
    assert says(ids["dog"], ids["bark"])
    assert not says(ids["animal"], ids["bark"])
    assert not says(ids["cat"], ids["dog"])
    assert says(ids["male speech, man speaking"], graph.named("human voice").id)


@pytest.mark.parametrize(
    ("start", "end", "found"), [(2.6, 6.4, True), (2.61, 7.0, False), (2.0, 7.61, False), (1.4, 7.6, True)]
)
def test_both_ends_count(start: float, end: float, found: bool) -> None:
    assert within(event("siren", start, end), truth("siren", 2.0, 7.0)) is found


def test_another_class_is_false_and_a_second_event_on_the_truth_is_not() -> None:
    heard = [event("siren", 2, 4), event("siren", 2.1, 7), event("bark", 3, 4), event("siren", 8, 9)]
    outcome = judge([truth("siren", 2, 7)], heard)
    assert outcome.found[0][1] == heard[1]
    assert outcome.false == (heard[2], heard[3])


def test_ranked_puts_events_and_clip_labels_in_one_order() -> None:
    bark, dog = ontology().named("bark").id, ontology().named("dog").id
    labels = (ClipLabel(label="dog", score=Score(value=0.9, kind="hearing"), class_id=dog),)
    ids = ranked(HearResult(events=(event("bark", 0, 1),), clip=labels))
    assert ids == [dog, bark]
    assert hits(ids, classes_of("dog bark"), 1)
    assert not hits(ids, classes_of("meow"), 4)


def test_damaged_truth_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "audio" / "scaper_scenes"
    folder.mkdir(parents=True)
    (folder / "a.wav").write_bytes(b"x")
    (folder / "a.txt").write_text("2.0 siren\n")
    with pytest.raises(InputFault) as caught:
        read_scenes(tmp_path)
    assert caught.value.code == "eval.data.damaged"
    with pytest.raises(InputFault):
        read_scenes(tmp_path / "elsewhere")


def test_scenes_with_exact_truth_are_heard(shared: Path) -> None:
    report = events().run(shared / "data", Toolbox({"hearing": "hearing/light"}), lambda done, all_: None)
    values = {measure.name: measure.value for measure in report.measures}
    assert values["found within 0.6 s at both ends"] == 1.0
    assert values["false confident events a scene"] == 0.0
