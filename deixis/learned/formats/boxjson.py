"""Lists of JSON objects: Qwen2.5-VL, Qwen3-VL, Gemini-like models.

They look alike and mean different spaces; nothing in the text tells which, so the profile does.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deixis.answer import Score
from deixis.learned.formats.frame import PictureFrame, resolve
from deixis.learned.formats.loosejson import Node, nodes, numbers
from deixis.learned.formats.protocol import Profile
from deixis.learned.formats.reading import Reader
from deixis.learned.formats.shapes import digits, written
from deixis.learned.formats.spans import Grounded, Kind, Parsed
from deixis.learned.formats.writing import check, first

KINDS: dict[str, Kind] = {
    "bbox_2d": "box", "box_2d": "box", "bbox": "box", "box": "box", "bounding_box": "box",
    "point_2d": "point", "point": "point",
    "polygon_2d": "polygon", "polygon": "polygon",
}  # fmt: skip
LABELS = ("label", "name", "phrase", "text_content", "object", "class")
SCORES = ("score", "confidence")
IMAGES = ("img_idx", "image_index")
FENCE_BEFORE = re.compile(r"```[A-Za-z]{0,12}\s{0,8}\Z")
FENCE_AFTER = re.compile(r"\s{0,8}```")


@dataclass
class Item:
    """One place as an object of a list says it.

    Attributes:
        node: the object.
        key: the key that the place stands under.
        value: what stands there.
        label: its label; None where it has none.
        score: its score; None where it has none.
        image: the number of the picture that a tool call speaks of; 0 is the original.
    """

    node: Node
    key: str
    value: object
    label: str | None = None
    score: float | None = None
    image: float = 0


def items(node: Node) -> list[Item]:
    """Returns the places of one object. A key that comes again begins the next, so an object that repeats
    ``bbox_2d`` and ``label`` loses none of them."""
    rounds: list[dict[str, object]] = [{}]
    for key, value in node.pairs:
        if key in rounds[-1] and (key in KINDS or key in LABELS):
            rounds.append({})
        rounds[-1][key] = value
    images = [value for key, value in node.pairs if key in IMAGES and isinstance(value, float)]
    return [
        Item(
            node,
            key,
            value,
            next((_worded(pairs[name]) for name in LABELS if name in pairs), None),
            _score(pairs),
            images[-1] if images else 0,
        )
        for pairs in rounds
        for key, value in pairs.items()
        if key in KINDS
    ]


def _score(pairs: dict[str, object]) -> float | None:
    found = [pairs[name] for name in SCORES if name in pairs]
    return next((score for score in found if isinstance(score, float) and math.isfinite(score)), None)


def _worded(value: object) -> str:
    """Returns a label as words, also where it is no string."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None or isinstance(value, Node) else str(value)


class BoxJson:
    """``[{"bbox_2d": [28, 96, 412, 380], "label": "a dog"}]``, with or without a code fence, text around.

    Args:
        profile: names, space, kinds.
        box_key: the key that boxes are written under; known spellings are read alike.
        point_key: the key that points are written under.
        fence: the list is written on lines of its own, in a code fence.
    """

    def __init__(
        self, profile: Profile, *, box_key: str = "bbox_2d", point_key: str = "point_2d", fence: bool = True
    ) -> None:
        self.profile = profile
        self._fence = fence
        self._keys: dict[Kind, str] = {"box": box_key, "point": point_key, "polygon": "polygon_2d"}

    def parse(
        self, text: str, frame: PictureFrame, *, phrases: Sequence[str] = (), step: int | None = None
    ) -> Parsed:
        """Returns the text around the JSON, its spans and diagnostics; see `Format.parse`."""
        reader = Reader(text, self.profile, frame, phrases, step)
        read_to = 0
        for start, end in self._read(reader):
            reader.take(read_to, start)
            read_to = end
        reader.take(read_to, len(reader.text))
        return reader.finish(listing=True)

    def _read(self, reader: Reader) -> Iterator[tuple[int, int]]:
        """Adds the spans of the text's JSON; returns the ranges that are not plain text."""
        ranges: list[tuple[int, int]] = []
        for node in nodes(reader.text):
            found = items(node) if node.opener == "{" else _bare(node)
            if not found:
                continue
            if node.opener == "{" and len({item.key for item in found}) < len(found):
                reader.note("json.repeated", "Keys are repeated in one object.", node.start, node.end)
            if not node.closed:
                reader.note("text.cut", "An object or a list is not closed.", node.start, node.end)
            for item in found:
                self._add(reader, item)
            ranges.append(_whole(node))
        read_to = 0
        for start, end in sorted(ranges):
            if end > read_to:
                yield _unfenced(reader.text, max(start, read_to), end)
                read_to = end

    def _add(self, reader: Reader, item: Item) -> None:
        """Adds the shapes of one item, or says why it has none."""
        start, end = item.node.start, item.node.end
        if item.image:
            reason = f"The place is on picture {item.image:g}, not on the original."
            reader.note("image.other", reason, start, end, dropped=True)
            return
        if isinstance(item.value, Node) and not item.value.closed:
            reader.note("text.cut", "The numbers are cut off.", start, end, dropped=True)
            return
        kind = KINDS.get(item.key, "box")
        rows = _rows(item.value, kind)
        score = None if item.score is None else Score(value=item.score, kind="detector")
        for row in rows:
            if row is None:
                reader.note("values.number", "The place is not a list of numbers.", start, end, dropped=True)
                continue
            values = reader.shape(row, kind, start, end)
            if values is not None:
                reader.add(values, kind, None, (item.label or "").strip(), score)
                if item.label is None:
                    reader.note("label.missing", "A place has no label.", start, end)

    def emit(self, grounded: Grounded, frame: PictureFrame) -> str:
        """Returns the text, if there is any, and below it the list in a code fence; see `Format.emit`.

        Scores are not written: these models write none.
        """
        check(grounded, self.profile, first(re.compile(r"[{\[]|```")), lambda phrase: "")
        if not grounded.spans:
            return grounded.text
        rows = self.rows(grounded, frame)
        if self._fence:
            listing, gap = "```json\n[\n\t" + ",\n\t".join(rows) + "\n]\n```", "\n"
        else:
            listing, gap = "[" + ", ".join(rows) + "]", " "
        return f"{grounded.text}{gap}{listing}" if grounded.text else listing

    def rows(self, grounded: Grounded, frame: PictureFrame) -> list[str]:
        """Returns one JSON object a span."""
        space = resolve(self.profile.space, frame)
        rows = []
        for span in grounded.spans:
            values = ", ".join(digits(value, space) for value in written(span, space, frame))
            label = json.dumps(span.phrase, ensure_ascii=False)
            rows.append(f'{{"{self._keys[span.kind]}": [{values}], "label": {label}}}')
        return rows


def _rows(value: object, kind: Kind) -> list[list[float] | None]:
    """Returns the numbers of each shape of a value; None for what is no list of numbers."""
    if (
        not isinstance(value, Node)
        or not value.items
        or not all(isinstance(row, Node) for row in value.items)
    ):
        return [numbers(value)]
    rows = [numbers(row) for row in value.items]
    pairs = [row for row in rows if row is not None and len(row) == 2]
    if kind == "polygon" and len(pairs) == len(rows):
        return [[number for pair in pairs for number in pair]]
    return rows


def _bare(node: Node) -> list[Item]:
    """Returns a list of four numbers that stands in no object as a box without a label."""
    holder = node
    while holder.parent is not None:
        holder = holder.parent
        if holder.opener == "{":
            return []
    values = numbers(node)
    return [Item(node, key="bbox_2d", value=node)] if values is not None and len(values) == 4 else []


def _whole(node: Node) -> tuple[int, int]:
    """Returns the range of the outermost node around `node` that is nothing but JSON."""
    top = node
    while top.parent is not None and top.parent.clean:
        top = top.parent
    return top.start, top.end


def _unfenced(text: str, start: int, end: int) -> tuple[int, int]:
    """Returns the range with the code fence around it."""
    before = FENCE_BEFORE.search(text, max(0, start - 24), start)
    after = FENCE_AFTER.match(text, end)
    return (before.start() if before else start), (after.end() if after else end)
