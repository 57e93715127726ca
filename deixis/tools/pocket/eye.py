"""The eye: a picture in, boxes with their kinds and vectors in the space of words out."""

from __future__ import annotations

STRIDE = 8
"""Pixels a cell."""
SIDE = 160
