"""The colours of entities: one per number, the same in text, picture, page and terminal.

The twelve fills were searched in OKLCH (B. Ottosson, 2020) for the largest smallest distance between any
two, under normal vision and under simulated protanopia and deuteranopia (Machado et al. 2009, severity
1.0). Their order puts unlike colours next to each other. A number always stands beside a colour, so
nothing is told by colour alone.
"""

from __future__ import annotations

from typing import NamedTuple

Rgb = tuple[int, int, int]

INK = "#111111"
"""Text on a fill."""
PAPER = "#ffffff"
"""Text on a line colour."""


class Colour(NamedTuple):
    """A light `fill` (masks, highlighted phrases; carries INK) and a dark `line` (outlines, plates; carries
    PAPER), as ``#rrggbb``. Both pairs have a WCAG contrast of at least 4.5."""

    name: str
    fill: str
    line: str


COLOURS = (
    Colour("blue", "#1d99fe", "#1a609e"),
    Colour("amber", "#cb8315", "#81520a"),
    Colour("magenta", "#db55d4", "#93398e"),
    Colour("lime", "#a3ef30", "#44670d"),
    Colour("salmon", "#fcae93", "#8f4b32"),
    Colour("turquoise", "#31e1c7", "#12695c"),
    Colour("mustard", "#c9b63a", "#6b5e00"),
    Colour("lavender", "#9bb1f5", "#485996"),
    Colour("green", "#66a774", "#296a3b"),
    Colour("mauve", "#cf8cb8", "#854872"),
    Colour("ice", "#8ef9ff", "#00686c"),
    Colour("cream", "#dcefa3", "#546316"),
)


def colour(number: int) -> Colour:
    """Returns the colour of the entity with this number (counted from 1).

    The colours differ for numbers 1 to 12 and then come again; the pair of colour and number stays unique.

    Raises:
        ValueError: the number is below 1.
    """
    if number < 1:
        raise ValueError(f"entities are numbered from 1, not {number}")
    return COLOURS[(number - 1) % len(COLOURS)]


def rgb(code: str) -> Rgb:
    """Returns red, green, blue in 0..255 of ``#rrggbb``."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def luminance(code: str) -> float:
    """Returns the relative luminance of ``#rrggbb`` in 0..1 (WCAG 2.2, relative luminance)."""
    parts = (value / 255 for value in rgb(code))
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Returns the contrast ratio of two colours, in 1..21 (WCAG 2.2, contrast ratio)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
