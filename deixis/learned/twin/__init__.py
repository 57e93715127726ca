"""The twin expert: a second feed-forward module beside the frozen one, behind a hard switch.

`graft` puts a twin into a Hugging Face decoder, `attach` loads a stored one, `certify` proves that the
switched-off model is the base, bit for bit. Nothing heavy is loaded before a name is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deixis.learned.twin.cache import trust_cache as trust_cache
    from deixis.learned.twin.certification import certify as certify
    from deixis.learned.twin.config import TwinConfig as TwinConfig
    from deixis.learned.twin.folder import attach as attach
    from deixis.learned.twin.gates.decision import Decision as Decision
    from deixis.learned.twin.grafting import graft as graft
    from deixis.learned.twin.grafting import twins_of as twins_of
    from deixis.learned.twin.peft import export_lora as export_lora
    from deixis.learned.twin.speed import bench as bench
    from deixis.learned.twin.twin import Twin as Twin

_PLACES = {
    "Decision": "gates.decision",
    "Twin": "twin",
    "TwinConfig": "config",
    "attach": "folder",
    "bench": "speed",
    "certify": "certification",
    "export_lora": "peft",
    "graft": "grafting",
    "trust_cache": "cache",
    "twins_of": "grafting",
}

__all__ = [  # noqa: PLE0604
    *_PLACES
]


def __getattr__(name: str) -> Any:
    """Returns a public name, loaded on first use.

    Raises:
        MissingExtra: PyTorch or transformers is not installed.
    """
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from deixis.learned.twin.needs import require

    if name not in {"TwinConfig", "Decision"}:
        require()
    value = getattr(import_module(f"{__name__}.{place}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
