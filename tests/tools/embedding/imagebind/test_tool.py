"""ImageBind as a tool: regions, masks, windows of sound with their places, the licence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.geometry import Box, Mask, TimeSpan
from deixis.store import Store
from deixis.tools.embedding import AudioPart, EmbedRequest, ImageRegion
from deixis.tools.embedding.imagebind import imagebind
from deixis.tools.embedding.joint import Clips, JointEmbedder
from deixis.tools.weights import licences
from tests.conformance.embedding import check_embedder
from tests.parity.weights import picture

torch = pytest.importorskip("torch")

from deixis.tools.embedding.imagebind.space import ImageBindSpace  # noqa: E402
from deixis.tools.embedding.imagebind.tokens import Tokens  # noqa: E402
from tests.tools.embedding.imagebind.test_parity import merges, network  # noqa: E402


@pytest.fixture
def tool(tmp_path: Path) -> JointEmbedder:
    tokens = Tokens(merges(tmp_path))
    return JointEmbedder(
        "embedding/imagebind", lambda: ImageBindSpace(network(), tokens), lambda: "sha256:" + "0" * 64
    )


def wave(seconds: float) -> np.ndarray:
    """Returns a rising tone at 16 kHz."""
    time = np.arange(int(seconds * 16000)) / 16000
    return np.sin(2 * np.pi * (200 + 300 * time) * time).astype(np.float32) * 0.3


def test_it_keeps_the_promises_of_an_embedder(tool: JointEmbedder, store: Store) -> None:
    check_embedder(tool, store, store.add_image(picture(60, 80)), store.add_audio((wave(3), 16000)))


def test_requests_share_passes_and_give_what_each_gives(tool: JointEmbedder, store: Store) -> None:
    shown, heard = store.add_image(picture(60, 80)), store.add_audio((wave(3), 16000))
    gone = shown.model_copy(update={"digest": "sha256:" + "0" * 64})
    space = tool.network
    space.rows = 8  # type: ignore[misc]  # as on a GPU
    passes: list[tuple[str, int]] = []
    for sense in ("read", "see", "hear"):
        whole = getattr(space, sense)
        setattr(space, sense, lambda rows, s=sense, f=whole: passes.append((s, len(rows))) or f(rows))
    requests = [
        EmbedRequest(texts=("a dog", " "), images=(ImageRegion(image=shown),)),
        EmbedRequest(images=(ImageRegion(image=gone),)),
        EmbedRequest(texts=("a cat",), audios=(AudioPart(audio=heard),)),
        EmbedRequest(images=(ImageRegion(image=shown, box=Box(x1=5, y1=5, x2=40, y2=50)),)),
    ]
    together = tool.run_many(requests, store)
    assert passes == [("read", 2), ("see", 2), ("hear", 7)]
    assert isinstance(together[1], Exception), "what is not here spoils no other request"
    for row in (0, 2, 3):
        alone, found = tool.run(requests[row], store), together[row]
        assert not isinstance(found, Exception)
        for part in ("texts", "images", "audios"):
            for ours, theirs in zip(getattr(found, part), getattr(alone, part), strict=True):
                assert (ours is None) == (theirs is None)
                assert ours is None or ours == pytest.approx(theirs, abs=1e-5)


def test_a_long_sound_is_heard_in_seven_places(tool: JointEmbedder, store: Store) -> None:
    audio = store.add_audio((wave(14), 16000))
    found = tool.clips(AudioPart(audio=audio), store)
    assert [span.start_s for span, _ in found] == pytest.approx([0, 2, 4, 6, 8, 10, 12])
    assert all(span.duration_s == pytest.approx(2) for span, _ in found)
    (whole,) = tool.run(EmbedRequest(audios=(AudioPart(audio=audio),)), store).audios
    total = np.sum([vector for _, vector in found], axis=0)
    assert whole == pytest.approx(tuple(total / np.linalg.norm(total)), abs=1e-5)


def test_the_windows_of_a_part_keep_the_time_of_the_whole(tool: JointEmbedder, store: Store) -> None:
    samples = wave(10)
    samples[: 5 * 16000] = 0
    audio = store.add_audio((samples, 16000))
    part = AudioPart(audio=audio, span=TimeSpan(start_s=6, end_s=9))
    spans = [span for span, _ in tool.clips(part, store)]
    assert spans[0].start_s == pytest.approx(6)
    assert spans[-1].end_s == pytest.approx(9)
    silence = AudioPart(audio=audio, span=TimeSpan(start_s=0, end_s=4))
    assert tool.clips(silence, store) == ()
    assert tool.run(EmbedRequest(audios=(silence,)), store).audios == (None,)


@pytest.mark.parametrize(("duration", "count"), [(0.5, 1), (2.0, 1), (2.1, 7), (600, 7)])
def test_windows_lie_inside_of_the_sound(duration: float, count: int) -> None:
    spans = Clips().spans(duration)
    assert len(spans) == count
    assert spans[0].start_s == 0
    assert spans[-1].end_s == pytest.approx(min(duration, duration))
    assert all(span.end_s <= duration + 1e-9 for span in spans)


def test_what_lies_outside_of_a_mask_does_not_count(tool: JointEmbedder, store: Store) -> None:
    one, other = picture(64, 64, 1), picture(64, 64, 2)
    inside = np.zeros((64, 64), bool)
    inside[10:40, 20:50] = True
    other[inside] = one[inside]
    mask, box = Mask.from_array(inside), Box(x1=10, y1=0, x2=60, y2=50)
    first, second = (store.add_image(pixels) for pixels in (one, other))
    request = EmbedRequest(
        images=(
            ImageRegion(image=first, box=box, mask=mask),
            ImageRegion(image=second, box=box, mask=mask),
            ImageRegion(image=first, box=box),
            ImageRegion(image=first, mask=Mask.from_array(np.zeros((64, 64), bool))),
            ImageRegion(image=first, mask=mask),
        )
    )
    masked, same, boxed, empty, own = tool.run(request, store).images
    assert masked is not None
    assert masked == pytest.approx(same, abs=1e-6)
    assert masked != pytest.approx(boxed, abs=1e-4)
    assert empty is None
    assert own is not None
    assert own != pytest.approx(masked, abs=1e-4)


def test_the_licence_is_told_once_and_can_be_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(licences, "_told", set())
    for _ in range(2):
        with pytest.raises(InputFault) as raised:
            imagebind(weights=tmp_path / "none.pth")
        assert raised.value.code in ("weights.missing", "weights.model.absent")
    assert caplog.text.count("CC-BY-NC-SA-4.0") == 1
    monkeypatch.setenv(licences.VARIABLE, "commercial")
    with pytest.raises(InputFault) as raised:
        imagebind(weights=tmp_path / "none.pth")
    assert raised.value.code == "weights.licence.refused"
    assert "embedding/embedding-gemma" in raised.value.cure
    monkeypatch.setenv(licences.VARIABLE, "some")
    with pytest.raises(InputFault) as raised:
        licences.refused("MIT")
    assert raised.value.code == "weights.licence.policy"


@pytest.mark.parametrize(
    ("licence", "wanted"),
    [
        ("CC-BY-NC-SA-4.0", True),
        ("CC BY-NC 4.0", True),
        ("Apache-2.0", False),
        ("non-commercial research", True),
        ("BSD-3-Clause", False),
        ("NCSA", False),
    ],
)
def test_which_licences_forbid_commercial_use(licence: str, wanted: bool) -> None:
    assert licences.non_commercial(licence) is wanted
