"""The task `hear` with a listener that says what it is told, on folders with known scores."""

from __future__ import annotations

import pytest

from deixis.answer import Score
from deixis.errors import InputFault
from deixis.eval.hear.task import LABELS, hear, read_clips
from deixis.geometry import TimeSpan
from deixis.tools.hearing import ClipLabel, HearResult, SoundEvent
from deixis.tools.hearing.ontology import ontology
from deixis.tools.toolbox import Toolbox
from tests.eval.folders import ByFile, Steps, counts, put_json, put_sound, values


def scored(value: float) -> Score:
    return Score(value=value, kind="hearing")


def heard(*events: tuple[str, float], clip: tuple[tuple[str, float], ...] = ()) -> HearResult:
    span = TimeSpan(start_s=0, end_s=1)
    ids = {name: ontology().named(name).id for name, _ in (*events, *clip)}
    return HearResult(
        events=tuple(
            SoundEvent(label=name, span=span, score=scored(value), class_id=ids[name])
            for name, value in events
        ),
        clip=tuple(ClipLabel(label=name, score=scored(value), class_id=ids[name]) for name, value in clip),
    )


@pytest.mark.shared
def test_a_folder_with_a_known_score(tmp_path):
    labels = ["dog bark", "cat", "siren", "violin", "zzz"]
    for number, _ in enumerate(labels, 1):
        put_sound(tmp_path, f"audio/{number}.wav", number)
    rows = [{"file": f"audio/{number}.wav", "label": label} for number, label in enumerate(labels, 1)]
    put_json(tmp_path, LABELS, rows)
    answers = [
        heard(("bark", 0.8)),
        heard(("bark", 0.8), clip=(("meow", 0.5), ("rain", 0.4))),  # right, but only second
        heard(clip=(("siren", 0.3),)),  # right, and no confident event
        heard(("rain", 0.9), ("wind", 0.8), ("bark", 0.7), ("meow", 0.6), clip=(("violin, fiddle", 0.1),)),
        heard(("rain", 0.9)),
    ]
    steps = Steps()
    report = hear().run(tmp_path, Toolbox({"hearing": ByFile("hearing", answers)}), steps)
    steps.check()
    assert values(report) == {"top-1": pytest.approx(2 / 4), "top-4": pytest.approx(3 / 4)}
    assert counts(report) == {"top-1": 4, "top-4": 4}
    assert (report.items, report.abstentions, report.parse_failures) == (5, 1, 1)
    assert report.tools[0].version == "7"


@pytest.mark.shared
def test_the_networks_alone_are_the_baselines_of_the_light_listener(shared, tmp_path):
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "dog.wav").symlink_to(shared / "data" / "audio" / "dog_audio.wav")
    put_sound(tmp_path, "audio/short.wav")
    rows = [{"file": "audio/dog.wav", "label": "dog"}, {"file": "audio/short.wav", "label": "sine wave"}]
    put_json(tmp_path, LABELS, rows)
    report = hear().run(tmp_path, Toolbox({"hearing": "hearing/light"}), Steps())
    assert values(report)["top-1"] >= 0.5
    assert {f"{name} alone, top-{top}" for name in ("yamnet", "mn04") for top in (1, 4)} <= set(
        values(report)
    )
    assert report.tools[0].weights_digest.startswith("sha256:")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "eval.data.missing"),
        ("{", "eval.data.damaged"),
        ([{"file": "a.wav"}], "eval.data.damaged"),
        ({"clips": []}, "eval.data.damaged"),
        ([3], "eval.data.damaged"),
    ],
)
def test_damaged_folders_are_refused_with_a_cure(tmp_path, content, code):
    if content is not None:
        put_json(tmp_path, LABELS, content)
    with pytest.raises(InputFault) as caught:
        read_clips(tmp_path)
    assert caught.value.code == code and caught.value.cure


@pytest.mark.shared
def test_a_clip_that_is_not_there_is_refused(tmp_path):
    put_json(tmp_path, LABELS, [{"file": "audio/gone.wav", "label": "dog"}])
    with pytest.raises(InputFault) as caught:
        hear().run(tmp_path, Toolbox({"hearing": "hearing/scripted"}), Steps())
    assert caught.value.code == "input.media.missing"
