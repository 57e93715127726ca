"""Films of the illustrated world as MP4 with their sound, and their truth."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import MissingExtra
from deixis.learned.world.categories import categories
from deixis.learned.world.dataset import write_json
from deixis.learned.world.films import Film, FilmSpec, film
from deixis.learned.world.sounds import KINDS
from deixis.learned.world.sounds.signal import RATE_HZ

if TYPE_CHECKING:
    from av.container import OutputContainer

FILMS = "films"
QUALITY = "18"
"""Constant rate factor of H.264: drawn edges stay sharp, boxes true."""
Progress = Callable[[int, int], None]


def write_films(
    first_seed: int, count: int, out: Path, progress: Progress, spec: FilmSpec = FilmSpec()
) -> dict[str, int]:
    """Returns how many films, tubes and sounds were written: MP4 files and ``films/films.json``.

    A tube's boxes are x1 y1 x2 y2 in pixels for every frame, null where the thing does not show; spans are
    in seconds; the maker of a sound is the number of a tube, or null where it is outside the picture.

    Raises:
        MissingExtra: PyAV is not installed.
    """
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise MissingExtra("video", "av", "Writing films") from error
    (out / FILMS).mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for number, seed in enumerate(range(first_seed, first_seed + count)):
        made = film(seed, spec)
        name = f"{FILMS}/{seed:012d}.mp4"
        write_film(made, out / name)
        rows.append(_truth(made, name))
        progress(number + 1, count)
    write_json(out / FILMS / "films.json", rows)
    return {
        "films": len(rows),
        "tubes": sum(len(row["tubes"]) for row in rows),
        "film sounds": sum(len(row["sounds"]) for row in rows),
    }


def write_film(made: Film, path: Path) -> None:
    """Writes a film as MP4: H.264 pictures, AAC sound."""
    import av

    with av.open(str(path), "w") as container:
        _write_streams(container, made)


def _write_streams(container: OutputContainer, made: Film) -> None:
    import av

    rate = Fraction(made.rate_fps).limit_denominator(1000)
    side_y, side_x = made.frames.shape[1:3]
    pictures = container.add_stream("libx264", rate=rate, options={"crf": QUALITY})
    pictures.width, pictures.height, pictures.pix_fmt = side_x, side_y, "yuv420p"
    sound = container.add_stream("aac", rate=RATE_HZ)
    sound.layout = "mono"
    for pixels in made.frames:
        container.mux(pictures.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")))
    container.mux(pictures.encode())
    heard = av.AudioFrame.from_ndarray(made.samples[None].astype(np.float32), "fltp", "mono")
    heard.sample_rate = RATE_HZ
    container.mux(sound.encode(heard))
    container.mux(sound.encode())


def _truth(made: Film, name: str) -> dict[str, Any]:
    return {
        "file": name,
        "rate_fps": made.rate_fps,
        "tubes": [
            {
                "name": categories()[tube.kind].name,
                "spans": [list(span) for span in tube.spans],
                "boxes": [None if np.isnan(box[0]) else box.tolist() for box in tube.boxes],
            }
            for tube in made.tubes
        ],
        "sounds": [
            {"kind": KINDS[one.kind], "start_s": one.start_s, "end_s": one.end_s, "maker": one.maker}
            for one in made.sounds
        ],
    }
