"""Makes the bundled scenes and their sounds: ``python -m deixis.learned.world.bundled FOLDER``.

Their seeds are of the range that no training sees (`deixis.learned.world.scenes.TEST_SEEDS`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

SIDE = 320
SCENES = {
    "meadow.webp": (599, ("dog", "cat", "tree", "house")),
    "hills.webp": (210, ("car", "bird", "train", "cloud")),
}
"""Seed, and the names of the things, each of which is there once."""
SOUNDS = {"woof.ogg": ("bark", 10), "meow.ogg": ("meow", 2), "wail.ogg": ("siren", 5)}
"""Kind and seed."""
SECONDS = 4.0


def main() -> None:
    """Writes the pictures (WebP) and the sounds (Ogg Vorbis, 16 kHz, mono)."""
    import numpy as np
    import soundfile
    from PIL import Image

    from deixis.learned.world.categories import categories
    from deixis.learned.world.scenes import SceneSpec, scene
    from deixis.learned.world.sounds import ClipSpec, clip

    parser = argparse.ArgumentParser(description="Make the bundled scenes.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    numbers = {kind.name: number for number, kind in enumerate(categories())}
    for name, (seed, things) in SCENES.items():
        kinds = tuple(numbers[thing] for thing in things)
        spec = SceneSpec(side=SIDE, kinds=kinds, shapes=0, worn=0, inked=0, crowded=0, empty=0)
        Image.fromarray(scene(seed, spec).pixels).save(folder / name, quality=90, method=6)
    for name, (kind, seed) in SOUNDS.items():
        made = clip(seed, ClipSpec(seconds=SECONDS, most=1, kinds=(kind,), noise_share=0, silence_share=0))
        samples = made.samples / max(1e-6, float(np.abs(made.samples).max())) * 0.7
        soundfile.write(folder / name, samples, 16_000, format="OGG", subtype="VORBIS")


if __name__ == "__main__":
    main()
