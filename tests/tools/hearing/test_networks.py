"""The two networks on real clips, and mn04's folded weights against the published ones."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.tools.hearing import mn04, yamnet
from deixis.tools.hearing.mel import RATE_HZ, log_mel
from deixis.tools.hearing.ontology import ontology
from deixis.tools.weights import locate
from deixis.tools.weights.torch_file import read_state_dict

pytestmark = pytest.mark.shared


def clip(shared, name: str, rate: int, seconds: float = 2.0) -> np.ndarray:
    import soundfile
    import soxr

    samples, own = soundfile.read(shared / "data" / "audio" / name, dtype="float32", always_2d=True)
    made = soxr.resample(samples.mean(axis=1), own, rate)[: round(seconds * rate)]
    return np.pad(made, (0, max(0, round(0.975 * rate) - len(made)))).astype(np.float32)


def best(scores: np.ndarray, ids: tuple[str, ...], count: int) -> list[str]:
    return [ontology()[ids[int(i)]].label for i in np.argsort(-scores)[:count]]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("dog_audio.wav", "dog"),
        ("bird_audio.wav", "bird"),
        ("swch_typing.wav", "typing"),
        ("vggsound_violin.wav", "violin, fiddle"),
        ("speech_p286.wav", "speech"),
    ],
)
def test_mn04_names_real_sounds(shared, name, label):
    scores = mn04.mn04().scores(log_mel(clip(shared, name, RATE_HZ, 5.0))[None])[0]
    assert label in best(scores, mn04.class_ids(), 3)
    assert scores[mn04.class_ids().index(ontology().named(label).id)] > 0.3


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("dog_audio.wav", "dog"),
        ("scaper_horn1.wav", "vehicle horn, car horn, honking"),
        ("lb_1_cat.wav", "cat"),
        ("speech_p286.wav", "speech"),
    ],
)
def test_yamnet_names_real_sounds(shared, name, label):
    samples = clip(shared, name, yamnet.RATE_HZ, 3.0)
    starts = range(0, len(samples) - yamnet.LENGTH + 1, 4000)
    windows = np.stack([samples[start : start + yamnet.LENGTH] for start in starts])
    scores = yamnet.yamnet().scores(windows)
    assert scores.shape == (len(windows), 521)
    assert label in best(scores.max(axis=0), yamnet.class_ids(), 3)


def test_a_batch_gives_what_its_parts_give(shared):
    pictures = log_mel(clip(shared, "dog_audio.wav", RATE_HZ))
    windows = np.stack([pictures[:, at : at + 100] for at in range(0, 100, 5)])
    assert len(windows) > mn04.BATCH
    together = mn04.mn04().scores(windows)
    assert together.shape == (20, 527)
    assert together[[0, 17]] == pytest.approx(mn04.mn04().scores(windows[[0, 17]]), abs=1e-5)
    assert mn04.mn04().scores(windows[:0]).shape == (0, 527)


def test_the_classifier_is_that_of_the_published_weights(shared):
    """Scores from the embedding by the state dict itself: linear, hardswish, linear, sigmoid."""
    state = read_state_dict(locate("audio/mn04_as_mAP_432.pt").path)
    picture = log_mel(clip(shared, "bird_audio.wav", RATE_HZ))
    vector = mn04.mn04().embedding(picture)
    assert vector.shape == (384,) and vector.std() > 0.01
    hidden = state["classifier.2.weight"] @ vector + state["classifier.2.bias"]
    hidden = hidden * np.clip(hidden + 3, 0, 6) / 6
    logits = state["classifier.5.weight"] @ hidden + state["classifier.5.bias"]
    assert mn04.mn04().scores(picture[None])[0] == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-4)


def test_both_name_classes_of_the_ontology():
    ids, others = mn04.class_ids(), yamnet.class_ids()
    assert (len(ids), len(others)) == (527, 521)
    assert set(others) < set(ids) <= set(ontology().classes)
    assert (ontology()[ids[0]].label, ontology()[others[0]].label) == ("speech", "speech")
