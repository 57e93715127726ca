"""``deixis scout`` from end to end, on a small world and on scripted photos."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deixis.cli.main import run
from deixis.learned.scout.reading import samples
from deixis.learned.scout.store import read_manifest
from deixis.learned.scout.world.spec import VERSION
from tests.learned.scout.conftest import by_hand


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scout") / "world"
    assert run(["scout", "make", "--out", str(out), "--count", "12", "--questions", "3"]) == 0
    return out


def test_make_writes_checked_samples_and_a_manifest(folder):
    manifest = read_manifest(folder)
    made = list(samples(folder, strict=True))
    assert manifest["samples"] == len(made) > 20 and manifest["complete"]
    assert manifest["plan"]["maker"] == f"world/{VERSION}" and manifest["plan"]["spec"]["questions"] == 3
    assert all(verdict.passed for sample in made for verdict in sample.verdicts) and made[0].verdicts


def test_make_goes_on_and_refuses_another_plan(folder, capsys):
    before = (folder / "samples.jsonl").read_bytes()
    assert run(["scout", "make", "--out", str(folder), "--count", "14", "--questions", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["units"] == 14
    assert (folder / "samples.jsonl").read_bytes().startswith(before)
    assert run(["scout", "make", "--out", str(folder), "--count", "14"]) == 2
    assert "[scout.store.other]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--mix", "1,2"], "scout.mix.invalid"),
        (["--mix", "0,0,0"], "scout.mix.invalid"),
        (["--mix", "a,b,c"], "scout.mix.invalid"),
        (["--refuse", "none.txt"], "scout.refused.unreadable"),
        (["--data", "nowhere"], "scout.data.missing"),
        (["--reground", "detection/none"], ""),
    ],
)
def test_make_says_what_is_wrong_before_it_writes(tmp_path, capsys, arguments, code):
    assert run(["scout", "make", "--out", str(tmp_path / "o"), "--count", "1", *arguments]) == 2
    assert code in capsys.readouterr().err and not (tmp_path / "o").exists()


def test_test_seeds_make_a_test_set(tmp_path):
    assert (
        run(["scout", "make", "--out", str(tmp_path), "--count", "3", "--seed", "5", "--mix", "1,0,0"]) == 0
    )
    assert {sample.split for sample in samples(tmp_path)} == {"test"}


def test_check_counts_rejections_and_broken_lines(folder, tmp_path, capsys):
    assert run(["scout", "check", str(folder)]) == 0
    assert "samples passed" in capsys.readouterr().out
    bad = tmp_path / "bad.jsonl"
    wrong = by_hand(media=(by_hand().media[0].model_copy(update={"source": "val_42.png"}),))
    bad.write_text(f"{by_hand().line()}\n{{torn\n{wrong.line()}\n")
    (tmp_path / "val.txt").write_text("42\n")
    arguments = ["--refuse", str(tmp_path / "val.txt"), "--passed", str(tmp_path / "p.jsonl")]
    arguments += ["--rejected", str(tmp_path / "r.jsonl")]
    assert run(["scout", "check", str(bad), *arguments, "--json"]) == 2
    facts = json.loads(capsys.readouterr().out)
    assert facts["judged"] == 2 and facts["passed"] == 1 and facts["rejected_by_rule"]["leak"] == 1
    assert facts["broken_lines"][0]["line"] == 2
    assert [s.id for s in samples(tmp_path / "p.jsonl")] == [by_hand().id]
    (rejected,) = samples(tmp_path / "r.jsonl")
    assert [v.rule for v in rejected.verdicts if not v.passed] == [
        "double",
        "leak",
    ] or rejected.id == wrong.id
    assert run(["scout", "check", str(bad), "--strict"]) == 2
    assert "[scout.line.json]" in capsys.readouterr().err


def test_stats_are_printed_and_are_json(folder, capsys):
    assert run(["scout", "stats", str(folder), "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["samples"] == len(list(samples(folder))) and 0 < numbers["absence_share"] < 1
    assert run(["scout", "stats", str(folder)]) == 0
    assert "yes-rate" in capsys.readouterr().out
    assert run(["scout", "stats", str(folder / "none")]) == 2
    assert "[scout.file.missing]" in capsys.readouterr().err


@pytest.mark.parametrize("style", ["chat", "steps", "answer"])
def test_render_writes_chat_turns(folder, tmp_path, capsys, style):
    out = tmp_path / "chat.jsonl"
    assert run(["scout", "render", str(folder), "-o", str(out), "--style", style, "-f", "shikra"]) == 0
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert len(rows) == len(list(samples(folder))) and rows[0]["messages"][0]["role"] == "user"
    assert any("[0." in json.dumps(row) for row in rows)
    assert run(["scout", "render", str(folder), "--count", "2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3  # the line about the first file, and two rows
    assert run(["scout", "render", str(folder), "-f", "morse"]) == 2
    assert run(["scout", "render", str(folder), "--style", "song"]) == 2


def test_render_leaves_out_and_counts_what_a_format_cannot_write(folder, tmp_path, capsys):
    out = tmp_path / "chat.jsonl"
    assert run(["scout", "render", str(folder), "-o", str(out), "-f", "florence-2-ocr"]) == 0
    assert "were left out" in capsys.readouterr().err


def test_show_draws_a_page_and_a_sheet(folder, tmp_path, capsys):
    from PIL import Image

    assert run(["scout", "show", str(folder), "-o", str(tmp_path / "a.html"), "--count", "4"]) == 0
    page = (tmp_path / "a.html").read_text("utf-8")
    assert page.count("<article") == 4 and "<rect" in page and "data:image/png" in page
    assert run(["scout", "show", str(folder), "-o", str(tmp_path / "a.png"), "--count", "2"]) == 0
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.width > 300 and len(set(sheet.convert("RGB").resize((40, 40)).getdata())) > 50
    one = next(iter(samples(folder)))
    assert run(["scout", "show", str(folder), one.id[7:19], "-o", str(tmp_path / "b.html")]) == 0
    assert (tmp_path / "b.html").read_text("utf-8").count("<article") == 1
    assert run(["scout", "show", str(folder), "--denied", "-o", str(tmp_path / "c.html")]) == 0
    assert 'class="nowhere"' in (tmp_path / "c.html").read_text("utf-8")
    for wrong in (["ffffffffffff"], ["-o", str(tmp_path / "a.pdf")], ["--task", "song"]):
        assert run(["scout", "show", str(folder), *wrong]) == 2
    assert "[scout.show.none]" in capsys.readouterr().err


def test_show_escapes_and_survives_media_that_are_gone(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(by_hand(question="<script>alert(1)</script>").line() + "\n")
    for name in ("a.html", "a.png"):
        assert run(["scout", "show", str(path), "-o", str(tmp_path / name)]) == 0
    page = (tmp_path / "a.html").read_text("utf-8")
    assert "<script>" not in page and "&lt;script&gt;" in page and "is not there" in page


@pytest.mark.shared
def test_make_of_real_photos_with_light(shared, tmp_path):
    data = tmp_path / "photos"
    data.mkdir()
    source = shared / "data/images/coco_train_tune/000000000074.jpg"
    (data / source.name).write_bytes(source.read_bytes())
    arguments = [
        "--data",
        str(data),
        "--profile",
        "light",
        "--out",
        str(tmp_path / "out"),
        "--questions",
        "3",
    ]
    assert run(["scout", "make", *arguments]) == 0
    made = list(samples(tmp_path / "out"))
    assert made and {v.rule for v in made[0].verdicts} >= {"reground", "agreement"}
    assert read_manifest(tmp_path / "out")["plan"]["reground"] == "detection/picodet-s"
