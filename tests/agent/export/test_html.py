"""index.html: self-contained, escaped, complete."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from deixis.agent.export import embed
from deixis.agent.export.figures import ticks, wave_path
from deixis.agent.export.html import export, script_json
from deixis.answer import GroundedAnswer, Mention, NotFound, Problem, Relation, Unplaced
from deixis.geometry import Box
from deixis.trace import Action, Event, RunRecord
from tests.agent.render.samples import answer_of, evidence, scene, sound, thing, yard

VOID = {"meta", "link", "img", "br", "rect", "image", "path", "line", "input"}


class Page(HTMLParser):
    """The elements of a page with their attributes and text; unclosed elements are a fault."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs) -> None:
        found = {key: value or "" for key, value in attrs}
        self.elements.append((tag, found))
        if tag not in VOID:
            self._open.append((tag, f"#{found['id']}" if "id" in found else tag))

    def handle_startendtag(self, tag, attrs) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag) -> None:
        name, _ = self._open.pop()
        assert name == tag, f"</{tag}> closes <{name}>"

    def handle_data(self, data) -> None:
        for _, key in self._open:
            self.texts[key] = self.texts.get(key, "") + data

    def all(self, tag: str, cls: str = "") -> list[dict[str, str]]:
        return [a for t, a in self.elements if t == tag and (not cls or cls in a.get("class", "").split())]


def page_of(answer, store, folder) -> tuple[Page, str]:
    path = export().save(answer, folder, store)[0]
    text = path.read_text("utf-8")
    return Page(text), text


def test_the_text_is_the_answers_and_its_phrases_are_numbered_buttons(store, tmp_path) -> None:
    answer = yard(store)
    page, _ = page_of(answer, store, tmp_path)
    assert page.texts["#text"] == answer.text
    buttons = page.all("button", "phrase")[: len(answer.mentions)]
    assert [(b["data-entity"], b["data-number"]) for b in buttons] == [
        ("sound-3", "3"),
        ("thing-1", "1"),
        ("thing-2", "2"),
        ("thing-4", "4"),
    ]
    assert all(b["type"] == "button" and b["aria-pressed"] == "false" for b in buttons)
    assert "unsupported" in buttons[3]["class"]
    assert page.texts["h1"] == answer.question


def test_a_plural_is_one_button_for_all_that_it_names(store, tmp_path) -> None:
    image = store.add_image(scene(100, 80))
    pair = [thing(number, "dog", image, Box(x1=9 * number, y1=5, x2=60, y2=60)) for number in (1, 2)]
    both = Mention(start=4, end=8, phrase="dogs", entities=("thing-1", "thing-2"))
    answer = answer_of("Two dogs.", pair, [image]).model_copy(update={"mentions": (both,)})
    page, _ = page_of(answer, store, tmp_path)
    (button,) = page.all("button", "phrase")
    assert (button["data-entity"], button["data-number"]) == ("thing-1 thing-2", "1, 2")
    assert page.texts["#text"] == "Two dogs."


def test_everything_an_answer_holds_is_on_the_page(store, tmp_path) -> None:
    page, _ = page_of(yard(store), store, tmp_path)
    text = " ".join(page.texts["body"].split())
    for part in (
        "matched",
        "a dog barks",
        "x 60–260, y 80–400 px",
        "0.90 detector",
        "mask 0.80",
        "detection/scripted",
        "0.00–0.40 s",
        "unicorn no tool of this profile knows it",
        "The tagger took longer than 60 s.",
        "Ask again with --timeout 120.",
        "degraded",
        "yard.png",
        "bark.wav",
        "Download answer.json",
        "Apache-2.0",
    ):
        assert part in text, part


def test_masks_and_boxes_lie_where_they_belong(store, tmp_path) -> None:
    answer = yard(store)
    page, _ = page_of(answer, store, tmp_path)
    regions = [r for r in page.all("g", "region") if "plate" not in r["class"]]
    assert [r["data-entity"] for r in regions] == ["thing-1", "thing-1", "thing-2"]
    shapes = page.all("image")
    assert len(shapes) == 2
    first = Image.open(io.BytesIO(base64.b64decode(shapes[0]["href"].partition(",")[2]))).convert("RGBA")
    x, y = float(shapes[0]["x"]), float(shapes[0]["y"])
    assert first.size == (float(shapes[0]["width"]), float(shapes[0]["height"]))
    alpha = np.asarray(first)[:, :, 3]
    mask = answer.entity("thing-1").regions[0].mask.to_array()
    inner = alpha[int(240 - y), int(160 - x)]
    assert inner == pytest.approx(128, abs=3) and mask[240, 160]
    assert alpha[2, 2] == 0
    outline = page.all("rect", "outline")
    assert [(float(o["x"]), float(o["y"]), float(o["width"])) for o in outline] == [(350, 300, 70)]


def test_events_lie_on_the_timeline_and_say_where_to_start(store, tmp_path) -> None:
    page, _ = page_of(yard(store), store, tmp_path)
    events = page.all("button", "event")
    assert [event["data-start"] for event in events] == ["0.0", "2.0"]
    assert "left:50.0%;width:max(10.0%,8px)" in events[1]["style"]
    assert "2.00" in events[1]["aria-label"]
    (line,) = page.all("div", "timeline")
    assert line["data-seconds"] == "4.0" and line["data-sound"] == page.all("audio")[0]["id"]


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> & </script><!-- {{7*7}} \u2028\x1b[31m"


def test_everything_from_outside_is_escaped(store, tmp_path) -> None:
    image = store.add_image(scene(100, 80)).model_copy(update={"name": f'a" onload="x{HOSTILE}.png'})
    audio = store.add_audio((np.zeros(800, np.float32), 8000)).model_copy(update={"name": HOSTILE})
    told = evidence(HOSTILE, 0.5, "detector", note=HOSTILE)
    entities = [
        thing(1, HOSTILE, image, Box(x1=1, y1=1, x2=50, y2=50)).model_copy(update={"evidence": (told,)}),
        sound(2, HOSTILE + "2", audio, (0.0, 0.1)).model_copy(update={"evidence": (told,)}),
    ]
    answer = answer_of(
        f"{HOSTILE} and {HOSTILE}2",
        entities,
        [image, audio],
        question=HOSTILE,
        profile=HOSTILE,
        relations=(Relation(sound="sound-2", thing="thing-1", verdict="matched", reason=HOSTILE),),
        not_found=(NotFound(phrase=HOSTILE, medium="image", reason="absent", note=HOSTILE),),
        unplaced=(Unplaced(phrase=HOSTILE, label=HOSTILE, reason=HOSTILE),),
        problems=(Problem(code=HOSTILE, message=HOSTILE, tool=HOSTILE, cure=HOSTILE),),
    )
    page, text = page_of(answer, store, tmp_path)
    assert len(page.all("script")) == 2
    assert len(page.all("img")) == 1 and page.all("img")[0]["alt"].startswith('a" onload="x<script>')
    assert not [a for _, a in page.elements if any(key.startswith("on") for key in a)]
    assert "alert(2)>" not in text and "{{7*7}}" in page.texts["body"] and "\x1b" not in text
    assert GroundedAnswer.model_validate_json(page.texts["#data"]) == answer


def test_json_in_a_script_cannot_end_it() -> None:
    text = json.dumps({"a": "</script><!--<script>&\u2028"}, ensure_ascii=False)
    safe = script_json(text)
    assert not set("<>&\u2028\u2029") & set(safe)
    assert json.loads(safe) == json.loads(text)


def test_no_request_leaves_the_page(store, tmp_path) -> None:
    page, text = page_of(yard(store), store, tmp_path)
    for _, found in page.elements:
        for key in ("src", "href"):
            assert re.match(r"data:|#", found.get(key, "#")), found
    assert "@import" not in text and "url(" not in text and "fetch(" not in text
    (policy,) = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy and "http" not in policy
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy


def test_big_media_lie_beside_the_page(store, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(embed, "LIMIT_BYTES", 2000)
    answer = yard(store)
    paths = export().save(answer, tmp_path, store)
    names = [path.relative_to(tmp_path).as_posix() for path in paths]
    assert names[0] == "index.html" and "media/sound-1.wav" in names
    assert any(name.startswith("media/picture-1.") for name in names)
    page = Page(paths[0].read_text("utf-8"))
    assert page.all("audio")[0]["src"] == "media/sound-1.wav"
    assert (tmp_path / "media/sound-1.wav").read_bytes() == store.path(answer.media[1].digest).read_bytes()
    linked = {
        a[key] for _, a in page.elements for key in ("src", "href") if a.get(key, "").startswith("media/")
    }
    assert linked == set(names[1:])


def test_pictures_are_shown_upright_and_without_their_metadata(store, tmp_path) -> None:
    image = Image.new("RGB", (60, 30), "red")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "secret place"
    raw = io.BytesIO()
    image.save(raw, "JPEG", exif=exif)
    ref = store.add_image(raw.getvalue())
    page, _ = page_of(answer_of("", [], [ref]), store, tmp_path)
    data = base64.b64decode(page.all("img")[0]["src"].partition(",")[2])
    shown = Image.open(io.BytesIO(data))
    assert shown.size == (30, 60) and not shown.getexif() and b"secret" not in data


@pytest.mark.parametrize(
    ("format_", "mime"), [("AIFF", "audio/wav"), ("FLAC", "audio/flac"), ("WAV", "audio/wav")]
)
def test_sounds_that_browsers_do_not_play_become_wav(store, tmp_path, format_, mime) -> None:
    import soundfile

    raw = io.BytesIO()
    soundfile.write(raw, np.sin(np.arange(8000) / 9) * 0.5, 8000, format=format_)
    ref = store.add_audio(raw.getvalue())
    page, _ = page_of(answer_of("", [], [ref]), store, tmp_path)
    head, _, data = page.all("audio")[0]["src"].partition(",")
    assert head == f"data:{mime};base64"
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(data)))
    assert rate == 8000 and len(samples) == 8000


def test_the_steps_come_from_the_stored_run(store, tmp_path) -> None:
    answer = yard(store)
    record = RunRecord(
        run=answer.run, question="?", profile="p", graph="pipeline", started="now", status="running"
    )
    store.runs.start(record)
    call = Action(call="0.1", role="detection", tool="detection/<x>").model_dump()
    told = [
        ("step_started", {"kind": "locate", "text": "Look for <dogs>."}),
        ("action", call),
        ("observation", {"call": "0.1", "status": "fault", "fault": {"message": "broken <glass>"}}),
        ("step_ended", {"text": "Looked for <dogs>.", "seconds": 0.5}),
    ]
    for seq, (kind, data) in enumerate(told):
        store.runs.append(Event(run=answer.run, seq=seq, type=kind, at_s=0, step=2, data=data))
    store.runs.finish(record, None)
    page, _ = page_of(answer, store, tmp_path)
    row = page.texts["#step-2"].replace("\n", "")
    assert row == "2locateLooked for <dogs>.broken <glass>detection/<x> 0.50fault"
    assert {"href": "#step-2"} in page.all("a")


def test_a_run_with_a_longer_name_is_not_taken_for_this_one(store, tmp_path) -> None:
    record = RunRecord(run="run-12", question="?", profile="p", graph="g", started="now", status="running")
    store.runs.start(record)
    page, _ = page_of(yard(store), store, tmp_path)
    assert "How it came about" not in page.texts["body"]


def test_media_that_are_gone_are_named(store, tmp_path) -> None:
    answer = yard(store)
    for ref in answer.media:
        store.path(ref.digest).unlink()
    page, _ = page_of(answer, store, tmp_path)
    assert "Not shown: yard.png" in page.texts["main"] and "Not shown: bark.wav" in page.texts["main"]
    assert page.texts["#text"] == answer.text


def test_an_empty_answer_and_a_picture_of_one_pixel(store, tmp_path) -> None:
    page, _ = page_of(answer_of("", [], [], question=""), store, tmp_path / "empty")
    assert page.texts["h1"] == "What is here?"
    ref = store.add_image(np.zeros((1, 1, 3), np.uint8))
    entity = thing(1, "dot", ref, Box(x1=0, y1=0, x2=1, y2=1))
    page, _ = page_of(answer_of("dot", [entity], [ref]), store, tmp_path / "dot")
    assert page.all("svg")[0]["viewbox"] == "0 0 640 640"


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(1), np.zeros(5000), np.ones(7), -np.ones(9000)])
def test_waves_stay_in_their_frame(samples) -> None:
    numbers = [float(value) for value in re.findall(r"[\d.-]+", wave_path(samples.astype(np.float32)))]
    assert all(0 <= x <= 400 for x in numbers[::2]) and all(0 <= y <= 100 for y in numbers[1::2])
    assert bool(numbers) == bool(samples.size)


@pytest.mark.parametrize(
    ("seconds", "first", "last"),
    [(0.05, "0 s", "0.05 s"), (4, "0 s", "4 s"), (1800, "0:00", "30:00"), (7200, "0:00", "120:00")],
)
def test_ticks_of_any_length(seconds, first, last) -> None:
    marks = ticks(seconds)
    assert (marks[0], marks[-1][0]) == ((first, 0.0), last)
    assert 2 <= len(marks) <= 10 and marks[-1][1] <= 100.001
