"""The pocket MLLM: a small decoder that sees by the pocket eye, hears by the pocket ear, and points.

`new_model` makes one from the shipped networks, `load` reads a stored one; both register the classes with
transformers' Auto classes. Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "PocketConfig": "config",
    "PocketForConditionalGeneration": "modeling",
    "PocketProcessor": "processing",
    "build_tokenizer": "tokenizer",
    "new_config": "build",
    "new_model": "build",
    "load": "build",
    "save_half": "build",
    "register": "build",
    "encode": "dialogue",
    "encode_turn": "dialogue",
    "only_answer": "dialogue",
    "prompt": "dialogue",
    "Encoded": "serial",
    "read_step": "reading",
}
__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
