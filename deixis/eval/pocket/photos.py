"""Photographs, which are outside the illustrated world: what is claimed there with confidence, wrongly."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.errors import InputFault
from deixis.eval.photos import Photo, read_photos
from deixis.eval.pocket.styles import asked, mean
from deixis.eval.report import Measure, bootstrap
from deixis.learned.world.categories import categories
from deixis.store import Store
from deixis.tools.detection import Detection, GroundRequest
from deixis.tools.tagging import Tag, TagRequest
from deixis.tools.tagging.kinds import kinds_of

if TYPE_CHECKING:
    from deixis.tools.toolbox import Toolbox

BAR = 0.3
RIGHT = 0.3
"""IoU from which a box is on its thing: the claim is what counts here, not how tightly it is drawn."""


def photos(toolbox: Toolbox, data: Path, progress: Callable[[int, int], None]) -> list[Measure]:
    """Returns the wrong boxes and the wrong tags a photo, at the tools' own thresholds; over photos.

    A box is wrong where no label that bears it out lies under it, a tag where the photo has none. What the
    labels do not know is counted as wrong, so that the true figure is at most this. No measure where the
    folder has no labelled photos.
    """
    try:
        labelled = read_photos(data)
    except InputFault as error:
        if error.code != "eval.data.missing":
            raise
        return []
    detector, tagger = toolbox.need("detection"), toolbox.get("tagging")
    boxes: list[int] = []
    tags: list[int] = []
    both: list[int] = []
    with tempfile.TemporaryDirectory(prefix="deixis-pocket-") as folder:
        store = Store(Path(folder))
        for number, photo in enumerate(labelled, 1):
            image = store.add_image(photo.path)
            found = asked(detector, GroundRequest(image=image, everything=True), store).everything
            said = () if tagger is None else asked(tagger, TagRequest(image=image), store).tags
            wrong, wrong_said = wrong_boxes(found, photo), wrong_tags(said, photo)
            boxes.append(len(wrong))
            tags.append(len(wrong_said))
            # One mistake told twice, as a box and as a tag, is one claim.
            both.append(len(wrong) + len({one.label for one in wrong_said} - {one.name for one in wrong}))
            progress(number, len(labelled))
    return [
        _fewer("photos: wrong claims a picture", both, BAR),
        _fewer("photos: wrong boxes a picture", boxes),
        _fewer("photos: wrong tags a picture", tags),
    ]


def wrong_boxes(found: Sequence[Detection], photo: Photo) -> list[Detection]:
    """Returns the detections under which nothing that they say is labelled."""
    return [
        one
        for one in found
        if not any(bears_out(name, one.name) and one.box.iou(box) >= RIGHT for name, box in photo.boxes)
    ]


def wrong_tags(said: Iterable[Tag], photo: Photo) -> list[Tag]:
    """Returns the tags that no label of the photo bears out."""
    labels = {name for name, _ in photo.boxes}
    return [
        one
        for one in said
        if not any(bears_out(label, word) for label in labels for word in (one.label, *one.kinds))
    ]


@cache
def bears_out(label: str, claim: str) -> bool:
    """Returns whether a claim is right where the label is: another word for it, a wider or a narrower one.

    The label *bird* bears out *owl*, since the labels are no finer; *dog* does not bear out *cat*.
    """
    (own, wide), (said, said_wide) = words_of(label), words_of(claim)
    return bool(own & said or said & wide or own & said_wide)


@cache
def words_of(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """Returns the words that mean the same as a name, itself among them, and the wider ones."""
    own, wide = {name}, set(kinds_of(name))
    for thing in categories():
        if name in (*thing.words, *thing.held_out, thing.plural):
            own |= {*thing.words, *thing.held_out}
            wide |= {*thing.broader, *kinds_of(thing.name)}
    return frozenset(own), frozenset(wide - own)


def _fewer(name: str, counts: Sequence[int], bar: float | None = None) -> Measure:
    measure = bootstrap(name, counts, mean, bar)
    return measure.model_copy(update={"better": "lower"})
