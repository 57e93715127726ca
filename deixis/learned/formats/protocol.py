"""What a grounded text format promises: a profile that says everything, `parse` and `emit`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

from deixis.errors import InputFault
from deixis.learned.formats.frame import INPUT_PIXELS, NAMED, PictureFrame
from deixis.learned.formats.spans import Grounded, Kind, Parsed
from deixis.spaces import Cells, Frame

MultiBox = Literal["joined", "repeated", "hull"]
"""Several boxes of one phrase: in one mark, one mark (or list item) each, or merged to their hull."""

Layout = Literal["inline", "listing", "sections"]
"""Marks in the running text; a list behind the text; named sections with one of both inside."""


@dataclass(frozen=True)
class Profile:
    """Everything about how one model family writes places.

    Attributes:
        name: what `formats.get` knows it by.
        family: the format, shared by profiles that differ in the space or in special tokens.
        space: name of the coordinate space (`deixis.spaces`, or ``input-pixels``).
        kinds: what can be written.
        corners: points of an outline, where all have the same number.
        multi_box: how several boxes of one phrase are written.
        layout: where the marks stand.
        phrase: ``marked`` where the format says where a phrase begins, ``guessed`` where only its end
            is known, ``none`` where boxes have no phrase.
        slack: how far beyond the edge of the space a value may lie, as a share of the axis, and still be
            clipped; beyond that the item is dropped, since clipping would hide a wrong space.
        system_prompt: what to tell a model so that it writes this format.
    """

    name: str
    family: str
    space: str
    system_prompt: str
    kinds: tuple[Kind, ...] = ("box",)
    corners: int | None = None
    multi_box: MultiBox = "joined"
    layout: Layout = "inline"
    phrase: Literal["marked", "guessed", "none"] = "marked"
    slack: float = 0.1

    def __post_init__(self) -> None:
        if self.space != INPUT_PIXELS and self.space not in NAMED:
            raise InputFault(
                "formats.space.unknown",
                f"There is no coordinate space {self.space!r}.",
                f"Known: {', '.join(sorted([*NAMED, INPUT_PIXELS]))}.",
            )

    @property
    def order(self) -> Literal["xy", "yx"]:
        """Returns which coordinate of a pair comes first."""
        space = NAMED.get(self.space)
        return "yx" if space is not None and not isinstance(space, Cells) and space.y_first else "xy"

    @property
    def rounding(self) -> str:
        """Returns how values are rounded when they are written, in words."""
        space = NAMED.get(self.space)
        if isinstance(space, Cells):
            return f"cells of a {space.side} × {space.side} grid"
        decimals = 0 if space is None else space.decimals
        if decimals is None:
            return "none"
        return f"{decimals} decimals" if decimals else "whole numbers"

    @property
    def padding(self) -> Literal["square", "none"]:
        """Returns whether values are relative to the picture padded to a square."""
        space = NAMED.get(self.space)
        return "square" if space and not isinstance(space, Cells) and space.frame is Frame.SQUARE else "none"

    def changed(self, *, space: str | None = None, slack: float | None = None) -> Profile:
        """Returns this profile with another space or slack.

        Raises:
            InputFault: there is no such space, or the format writes cells and the space has none.
        """
        wanted = self.space if space is None else space
        if isinstance(NAMED.get(wanted), Cells) != isinstance(NAMED.get(self.space), Cells):
            raise InputFault(
                "formats.space.unfit",
                f"The format {self.name} cannot write the space {wanted}.",
                "Cells are two numbers a box, every other space has four.",
            )
        return replace(self, space=wanted, slack=self.slack if slack is None else slack)


@runtime_checkable
class Format(Protocol):
    """Reads and writes one way of pointing in text."""

    @property
    def profile(self) -> Profile:
        """Returns everything about how this format writes places."""

    def parse(
        self, text: str, frame: PictureFrame, *, phrases: Sequence[str] = (), step: int | None = None
    ) -> Parsed:
        """Returns the plain text, its spans in pixels of the original picture, and diagnostics.

        Never raises on any string, and takes time in proportion to its length.

        Args:
            text: what a model wrote; beyond `reading.MOST_CHARS` characters it is cut.
            frame: the picture it speaks of.
            phrases: phrases that are known beforehand, for formats that only mark a phrase's end.
            step: index of the trace step the text belongs to, kept in every span.

        Raises:
            InputFault: the format needs the size of the resized input and `frame` has none.
        """

    def emit(self, grounded: Grounded, frame: PictureFrame) -> str:
        """Returns the text with its spans marked, rounded as the format does it.

        Raises:
            InputFault: the text cannot be written so that it reads back as what it is: a kind that the
                format has not, phrases that overlap, marks of the format inside the text, a box outside
                the picture, or an input size that is needed and missing.
        """
