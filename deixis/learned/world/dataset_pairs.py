"""Pictures of one thing, clips of one sound, and pairs, in the layout of `tag`, `hear` and `match`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from deixis.learned.world.categories import categories
from deixis.learned.world.dataset import write_json
from deixis.learned.world.pairs import WorldPair, makers, pair
from deixis.learned.world.scenes import SceneSpec, scene
from deixis.learned.world.sounds import KINDS, SOUNDING, ClipSpec, clip
from deixis.learned.world.sounds.signal import RATE_HZ

SUBJECTS, CLIPS, PAIRS = "images/imagenet", "audio/clips", "pairs"
Progress = Callable[[int, int], None]


def write_subjects(first_seed: int, count: int, out: Path, progress: Progress, spec: SceneSpec) -> int:
    """Returns how many pictures of one large thing each were written; their file names say the thing."""
    from PIL import Image

    (out / SUBJECTS).mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(range(first_seed, first_seed + count)):
        kind = seed % len(categories())
        large = replace(
            spec, kinds=(kind,), most=1, empty=0.0, shapes=0.0, smallest=0.4, largest=max(0.41, spec.largest)
        )
        name = categories()[kind].name.replace(" ", "_")
        Image.fromarray(scene(seed, large).pixels).save(out / SUBJECTS / f"n{seed:08d}_{name}.png")
        progress(number + 1, count)
    return count


def write_labelled(first_seed: int, count: int, out: Path, progress: Progress) -> int:
    """Returns how many clips of one sound each were written, with their labels."""
    (out / CLIPS).mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for number, seed in enumerate(range(first_seed, first_seed + count)):
        kind = seed % len(KINDS)
        one = ClipSpec(kinds=(KINDS[kind],), most=1, noise_share=0.0, silence_share=0.0)
        name = f"{CLIPS}/{seed:012d}.wav"
        _write_wav(out / name, clip(seed, one).samples)
        rows.append({"file": name, "label": SOUNDING[kind].label, "kind": KINDS[kind]})
        progress(number + 1, count)
    write_json(out / "audio/labels.json", rows)
    return count


def write_pairs(first_seed: int, count: int, out: Path, progress: Progress) -> int:
    """Returns how many pairs were written whose sounds all match, or none of them.

    A pair that is neither (one of two sounds is from outside, silence) is in ``pairs/all.json`` alone, with
    the source of each event.
    """
    (out / PAIRS).mkdir(parents=True, exist_ok=True)
    every: list[dict[str, Any]] = []
    clear: list[dict[str, Any]] = []
    for number, seed in enumerate(range(first_seed, first_seed + count)):
        made = pair(seed)
        image, audio = (f"{PAIRS}/{path.name}" for path in write_pair(made, out / PAIRS, f"{seed:012d}"))
        names = made.scene.names
        heard = sorted({KINDS[event.kind] for event in made.clip.events})
        could = sorted({categories()[number].name for kind in heard for number in makers(kind)})
        row: dict[str, Any] = {
            "image": image,
            "audio": audio,
            "sound": ", ".join(KINDS[event.kind] for event in made.clip.events),
        }
        every.append(
            row
            | {
                "relation": made.relation,
                "match": made.matched,
                "reason": made.reason,
                "boxes": [[name, *box] for name, box in zip(names, made.scene.boxes.tolist(), strict=True)],
                "events": [
                    [KINDS[event.kind], round(event.start_s, 4), round(event.end_s, 4), list(things)]
                    for event, things in zip(made.clip.events, made.sources, strict=True)
                ],
            }
        )
        if made.matched is not None:
            clear.append(row | {"match": made.matched, "objects": could})
        progress(number + 1, count)
    write_json(out / PAIRS / "pairs.json", clear)
    write_json(out / PAIRS / "all.json", every)
    return len(clear)


def write_pair(made: WorldPair, folder: Path, name: str) -> tuple[Path, Path]:
    """Returns the files of a pair's picture and sound, once they are written."""
    from PIL import Image

    image, audio = folder / f"{name}.png", folder / f"{name}.wav"
    Image.fromarray(made.scene.pixels).save(image)
    _write_wav(audio, made.clip.samples)
    return image, audio


def _write_wav(path: Path, samples: Any) -> None:
    import soundfile

    soundfile.write(path, samples, RATE_HZ, subtype="PCM_16")
