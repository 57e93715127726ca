"""Weight files: a pinned manifest, where they lie, how they are fetched and checked."""

from deixis.tools.weights.locate import Weight, locate, present

__all__ = ["Weight", "locate", "present"]
