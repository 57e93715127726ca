"""Small holes filled and small islands dropped (SAM's clean-up after a mask, here with cc3d)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def tidied(
    pixels: NDArray[np.bool_], fill_holes_px: float = 0, drop_islands_px: float = 0
) -> NDArray[np.bool_]:
    """Returns the mask, shape (h, w), with holes and then islands of fewer pixels than given gone.

    A hole is a part of the background that reaches no border of the array; its pixels touch by their
    sides. An island is a part of the mask whose pixels touch by sides or corners; the largest one stays
    whatever its size.
    """
    done = pixels
    if fill_holes_px > 0 and pixels.any():
        done = done | _small_holes(~done, fill_holes_px)
    if drop_islands_px > 0 and done.any():
        done = _without_islands(done, drop_islands_px)
    return done


def _small_holes(background: NDArray[np.bool_], below_px: float) -> NDArray[np.bool_]:
    parts, areas = _parts(background, connectivity=4)
    small = areas < below_px
    border = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    small[border] = False
    small[0] = False
    return small[parts]


def _without_islands(pixels: NDArray[np.bool_], below_px: float) -> NDArray[np.bool_]:
    parts, areas = _parts(pixels, connectivity=8)
    stays = areas >= below_px
    stays[1 + int(np.argmax(areas[1:]))] = True
    stays[0] = False
    return stays[parts]


def part_at(pixels: NDArray[np.bool_], x: int, y: int) -> NDArray[np.bool_] | None:
    """Returns the connected part of the mask that holds pixel ``(x, y)``; None where that is unset."""
    if not pixels[y, x]:
        return None
    parts, _ = _parts(pixels, connectivity=8)
    found: NDArray[np.bool_] = parts == parts[y, x]
    return found


def _parts(pixels: NDArray[np.bool_], connectivity: int) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Returns the number of each pixel's part (0: unset), shape (h, w), and the area of each number."""
    import cc3d

    label: Any = cc3d.connected_components  # its overloads name the allowed connectivities one by one
    parts: NDArray[np.uint32] = label(
        np.ascontiguousarray(pixels, dtype=np.uint8), connectivity=connectivity, out_dtype=np.uint32
    )
    return parts, np.bincount(parts.ravel())
