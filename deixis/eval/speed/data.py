"""What the questions are asked about: distinct photos, each with a sound of five seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deixis.errors import InputFault
from deixis.eval.data import read_json
from deixis.eval.photos import read_photos

SOUNDS = "audio/labels.json"
SOUND_S = 5.0


@dataclass(frozen=True)
class Case:
    """A photo and a sound; `crowd` is the number of things that are labelled on the photo."""

    image: Path
    audio: Path
    crowd: int


def read_cases(data: Path, folder: Path, most: int) -> list[Case]:
    """Returns at most `most` cases, no photo twice, spread evenly over the photos of the data folder.

    The first five seconds of each sound that lasts as long are written to `folder`, and go round.

    Raises:
        InputFault: the data folder has no photos, or no sound of five seconds.
    """
    photos = read_photos(data)
    sounds = _cut(data, folder)
    if not photos or not sounds:
        raise InputFault(
            "eval.data.missing",
            f"The data folder has {len(photos)} photos and {len(sounds)} sounds of {SOUND_S:g} s.",
            "Give --data a folder with the layout that docs/evaluation.md describes.",
        )
    chosen = [photos[index] for index in spread(len(photos), most)]
    return [
        Case(photo.path, sounds[number % len(sounds)], len(photo.boxes))
        for number, photo in enumerate(chosen)
    ]


def spread(count: int, most: int) -> list[int]:
    """Returns at most `most` of the numbers below `count`, evenly spaced, the first among them."""
    taken = min(count, most)
    return [index * count // taken for index in range(taken)]


def _cut(data: Path, folder: Path) -> list[Path]:
    import soundfile

    made = []
    for number, row in enumerate(read_json(data, SOUNDS)):
        try:
            info = soundfile.info(str(data / row["file"]))
            frames = round(SOUND_S * info.samplerate)
            if info.frames < frames:
                continue
            samples, rate = soundfile.read(str(data / row["file"]), frames=frames)
        except (soundfile.LibsndfileError, OSError, KeyError, TypeError) as error:
            raise InputFault(
                "eval.data.damaged",
                f"{SOUNDS} names a sound that cannot be read ({error}).",
                "Mend the file, or take it off the list.",
            ) from error
        made.append(folder / f"{number}.wav")
        soundfile.write(str(made[-1]), samples, rate)
    return made
