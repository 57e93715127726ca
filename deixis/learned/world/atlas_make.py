"""Recipe of the sprite atlas: pictures of the things, drawn once from the icons of free families.

Run as ``python -m deixis.learned.world.atlas_make FOLDER``, where FOLDER holds the unpacked npm packages
``@iconify-json/<family>`` as ``iconify-json-<family>-<version>/package``. Needs the extra `world` (resvg-py).
The same packages give the same sheets.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault, MissingExtra
from deixis.learned.world.atlas import ATLAS, CELL, COLUMNS, FAMILIES
from deixis.learned.world.categories import categories

if TYPE_CHECKING:
    from PIL.Image import Image

DRAWN_PX = 288  # three times the cell, so that the fit to the cell is sharp
VARIATION = "-fe0f"

# Icons that do not show the thing in this family, found by looking at the contact sheets: another thing, a
# whole scene, or a sign. (family, code point)
WRONG: frozenset[tuple[str, str]] = frozenset(
    {
        ("noto-v1", "1f413"),  # a white hen
        ("twemoji", "1f413"),  # a white hen
        ("noto-v1", "1f3c0"),  # a hoop with a ball
        ("emojione", "1f3c0"),  # a hoop with a ball
        ("emojione", "1f3cd"),  # a person on a motorcycle
        ("noto-v1", "1f4bb"),  # a desktop computer
        ("noto-v1", "1f308"),  # a rainbow between two clouds
        ("emojione", "1f308"),  # a rainbow out of a cloud
        ("openmoji", "1f69a"),  # a van
    }
)


def read_package(folder: Path, family: str) -> tuple[Path, dict[str, Any]]:
    """Returns the folder and the icons.json of the newest package of `family`.

    Raises:
        InputFault: there is none.
    """
    found = sorted(folder.glob(f"iconify-json-{family}-[0-9]*/package/icons.json"))
    if not found:
        raise InputFault(
            "world.package.missing",
            f"There is no package of the family {family}.",
            f"Unpack the npm package @iconify-json/{family} as iconify-json-{family}-VERSION/package.",
        )
    return found[-1].parent, json.loads(found[-1].read_text("utf-8"))


def names_by_point(folder: Path, packages: dict[str, Path]) -> dict[str, str]:
    """Returns code point → icon names of the families that say them: {"name": "1f415"} turned round."""
    points: dict[str, str] = {}
    for family in ("twemoji", "openmoji", "noto", "fluent-emoji-flat"):
        table = json.loads((packages[family] / "chars.json").read_text("utf-8"))
        for point, name in table.items():
            points.setdefault(name, point.replace(VARIATION, ""))
    return points


def icon_names(package: Path, icons: dict[str, Any], points: dict[str, str]) -> dict[str, str]:
    """Returns code point → icon name for one family; one without a table shares the names of the others."""
    table = json.loads((package / "chars.json").read_text("utf-8"))
    if table:
        return {point.replace(VARIATION, ""): name for point, name in table.items()}
    found: dict[str, str] = {}
    for name in [*icons["icons"], *icons.get("aliases", {})]:
        if name in points:
            found.setdefault(points[name], name)
    return found


def svg_of(icons: dict[str, Any], name: str) -> str:
    """Returns the icon as an SVG document; aliases are followed."""
    while name not in icons["icons"]:
        name = icons["aliases"][name]["parent"]
    icon = icons["icons"][name]
    width = icon.get("width", icons.get("width", 16))
    height = icon.get("height", icons.get("height", 16))
    left, top = icon.get("left", 0), icon.get("top", 0)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}" width="{DRAWN_PX}" height="{DRAWN_PX}">{icon["body"]}</svg>'
    )


def draw(svg: str) -> Image | None:
    """Returns the drawing, RGBA, cut to what is visible and fitted into the cell; None where nothing is.

    Raises:
        MissingExtra: resvg-py is not installed.
    """
    from PIL import Image

    try:
        import resvg_py
    except ModuleNotFoundError as error:
        raise MissingExtra("world", "resvg-py", "Drawing the atlas") from error
    drawn = resvg_py.svg_to_bytes(svg_string=svg, width=DRAWN_PX, height=DRAWN_PX, skip_system_fonts=True)
    picture = Image.open(io.BytesIO(bytes(drawn))).convert("RGBA")
    extent = picture.getchannel("A").point([0] * 25 + [255] * 231).getbbox()
    if extent is None:
        return None
    picture = picture.crop(extent)
    scale = CELL / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")


def make(folder: Path, out: Path) -> dict[str, Any]:
    """Returns the table of the atlas; writes one sheet per family and the table beside them."""
    from PIL import Image

    read = {family: read_package(folder, family) for family in FAMILIES}
    points = names_by_point(folder, {family: package for family, (package, _) in read.items()})
    wanted = [(thing.name, point) for thing in categories() for point in thing.icons]
    table: dict[str, Any] = {"cell": CELL, "columns": COLUMNS, "families": {}}
    out.mkdir(parents=True, exist_ok=True)
    for family, (package, icons) in read.items():
        names = icon_names(package, icons, points)
        sprites = []
        for thing, point in wanted:
            if point not in names or (family, point) in WRONG:
                continue
            drawn = draw(svg_of(icons, names[point]))
            if drawn is not None:
                sprites.append((thing, point, drawn))
        rows = math.ceil(len(sprites) / COLUMNS)
        sheet = Image.new("RGBA", (COLUMNS * CELL, rows * CELL))
        for number, (_, _, drawn) in enumerate(sprites):
            sheet.paste(drawn, (number % COLUMNS * CELL, number // COLUMNS * CELL))
        path = out / f"{family}.webp"
        flat = family in FLAT
        sheet.save(path, method=6, lossless=flat, quality=100 if flat else 90, alpha_quality=100)
        table["families"][family] = _entry(package, path, sprites)
    text = re.sub(
        r"\[\s+(\"[^]]+?)\s+\]", lambda row: f"[{' '.join(row[1].split())}]", json.dumps(table, indent=1)
    )
    (out / "atlas.json").write_text(text + "\n", "utf-8")
    return table


FLAT = ("twemoji", "fluent-emoji-flat", "emojione", "openmoji")  # few colours: lossless is the smaller way


def _entry(package: Path, sheet: Path, sprites: list[tuple[str, str, Image]]) -> dict[str, Any]:
    info = json.loads((package / "info.json").read_text("utf-8"))
    about = json.loads((package / "package.json").read_text("utf-8"))
    return {
        "package": about["name"],
        "version": about["version"],
        "icons_sha256": hashlib.sha256((package / "icons.json").read_bytes()).hexdigest(),
        "author": info["author"]["name"],
        "source": re.sub(r"^https://", "", info["author"].get("url", "")),
        "licence": info["license"]["spdx"],
        "sha256": hashlib.sha256(sheet.read_bytes()).hexdigest(),
        "sprites": [[thing, point, drawn.width, drawn.height] for thing, point, drawn in sprites],
    }


def main() -> None:
    """Draws the atlas from the packages in the folder that the command line names."""
    parser = argparse.ArgumentParser(description="Draw the sprite atlas from icon packages.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=ATLAS)
    chosen = parser.parse_args()
    table = make(chosen.folder, chosen.out)
    for family, entry in table["families"].items():
        print(f"{family}: {len(entry['sprites'])} sprites")


if __name__ == "__main__":
    main()
