"""Draws the bundled scene of painted shapes: ``python -m deixis.examples.make_shapes FILE``."""

from __future__ import annotations

import argparse
from pathlib import Path

SIZE = (640, 420)
GROUND = (244, 240, 230)
RED, BLUE, GREEN, YELLOW = (220, 40, 40), (40, 90, 220), (40, 160, 70), (240, 200, 40)


def main() -> None:
    """Writes the scene: a red circle, a blue square, a green triangle and a small yellow circle."""
    from PIL import Image, ImageDraw

    parser = argparse.ArgumentParser(description="Draw the bundled shapes.")
    parser.add_argument("file", type=Path)
    image = Image.new("RGB", SIZE, GROUND)
    draw = ImageDraw.Draw(image)
    draw.ellipse((50, 60, 210, 220), fill=RED)
    draw.rectangle((260, 150, 409, 299), fill=BLUE)
    draw.polygon(((520, 120), (450, 290), (590, 290)), fill=GREEN)
    draw.ellipse((130, 300, 200, 370), fill=YELLOW)
    image.save(parser.parse_args().file, optimize=True)


if __name__ == "__main__":
    main()
