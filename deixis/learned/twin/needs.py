"""What the twin needs beside the core install."""

from __future__ import annotations

from importlib import import_module

from deixis.errors import MissingExtra


def require(*more: str) -> None:
    """Says nothing where PyTorch, transformers and the packages named in `more` are installed.

    Raises:
        MissingExtra: one is not; it names the package and the install line.
    """
    for package in ("torch", "transformers", *more):
        try:
            import_module(package)
        except ImportError as error:
            raise MissingExtra("learned", package, "The twin expert") from error
