"""The bundled media: small, described, attributed, usable."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from deixis import examples
from deixis.errors import InputFault

MEDIA = {".jpg", ".png", ".webp", ".ogg"}


def test_every_bundled_file_is_described_and_attributed() -> None:
    folder = examples.path("dogs.jpg").parent
    lying = {path.name for path in folder.iterdir() if path.suffix in MEDIA}
    assert lying == {file.name for file in examples.media()}
    table = (folder / "ATTRIBUTION.md").read_text("utf-8")
    for file in examples.media():
        assert f"`{file.name}`" in table and file.licence in table and file.author in table
        assert file.link.startswith("https://") or file.licence == "Apache-2.0"
        assert file.changes


def test_what_is_listed_is_what_lies_there() -> None:
    for file in examples.media():
        content = examples.path(file.name).read_bytes()
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == file.digest


def test_they_are_small(store) -> None:
    sizes = {file.name: examples.path(file.name).stat().st_size for file in examples.media()}
    assert sum(sizes.values()) <= 600_000
    photos = [name for name in sizes if name.endswith(".jpg")]
    assert 1 <= len(photos) <= 4 and all(sizes[name] <= 80_000 for name in photos)
    for name in photos:
        assert max(store.add_image(examples.path(name)).size.model_dump().values()) <= 640


def test_every_example_asks_about_files_that_are_there(store) -> None:
    names = [example.name for example in examples.all()]
    assert len(set(names)) == len(names) >= 6
    used = set()
    for example in examples.all():
        for name in example.images:
            assert store.add_image(examples.path(name)).size.width > 0
        for name in example.sounds:
            audio = store.add_audio(examples.path(name))
            assert 2 < audio.duration_s < 10 and np.abs(store.samples(audio, 16_000)).max() > 0.2
        used |= set(example.files)
    assert used == {file.name for file in examples.media()}


def test_profiles_have_their_examples() -> None:
    assert {example.profile for example in examples.for_profile("light")} == {"light"}
    assert {example.profile for example in examples.for_profile("sketch")} == {"sketch"}
    assert {example.profile for example in examples.for_profile("pocket")} == {"pocket"}
    assert examples.for_profile("mine") == examples.for_profile("light")


def test_an_unknown_file_is_refused() -> None:
    with pytest.raises(InputFault) as caught:
        examples.path("../examples.json")
    assert caught.value.code == "examples.unknown" and "dogs.jpg" in caught.value.cure


def test_credits_are_found_by_content() -> None:
    cat = next(file for file in examples.media() if file.name == "cat.jpg")
    assert "CC BY 2.0" in examples.credit(cat.digest) and cat.link in examples.credit(cat.digest)
    assert examples.credit("sha256:" + "0" * 64) == ""


def test_the_scripts_make_what_is_bundled(tmp_path, store) -> None:
    shapes = tmp_path / "shapes.png"
    for module, target in (
        ("examples.make_sounds", tmp_path),
        ("learned.world.bundled", tmp_path),
        ("examples.make_shapes", shapes),
    ):
        subprocess.run([sys.executable, "-m", f"deixis.{module}", str(target)], check=True)
    for name in ("bark.ogg", "miaow.ogg", "siren.ogg", "bursts.ogg", "woof.ogg", "meow.ogg", "wail.ogg"):
        made = store.samples(store.add_audio(tmp_path / name), 16_000)
        kept = store.samples(store.add_audio(examples.path(name)), 16_000)
        assert made.shape == kept.shape and np.abs(made - kept).max() < 0.02
    for name in ("shapes.png", "meadow.webp", "hills.webp"):
        drawn = store.pixels(store.add_image(tmp_path / name)).astype(int)
        assert np.abs(drawn - store.pixels(store.add_image(examples.path(name)))).mean() < 0.5


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "heard"),
    [("bark.ogg", "dog"), ("miaow.ogg", "cat"), ("siren.ogg", "siren"), ("speech.ogg", "speech")],
)
def test_trained_networks_hear_what_is_meant(shared, store, name, heard) -> None:
    from deixis.tools.hearing import HearRequest
    from deixis.tools.hearing.light import light

    result = light().run(HearRequest(audio=store.add_audio(examples.path(name))), store)
    words = {word for event in result.events for word in (event.label, *event.parents)}
    assert any(heard in word for word in words), result.events
