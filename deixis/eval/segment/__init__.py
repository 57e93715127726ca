"""Masks for true boxes, against outlined photos."""
