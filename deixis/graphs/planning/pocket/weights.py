"""Where the planner's model and twin are, and how they are loaded: safetensors only, from this machine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault, WeightsMissing
from deixis.learned.mllm.shipping import BASE, HOME, TWIN
from deixis.tools.weights.digest import sha256_of

if TYPE_CHECKING:
    from deixis.learned.mllm.modeling import PocketForConditionalGeneration
    from deixis.learned.mllm.processing import PocketProcessor
    from deixis.learned.twin.twin import Twin

KEPT = 2
"""Models that are kept loaded: planners of the same folders share one."""


@dataclass(frozen=True)
class Opened:
    """A model that is ready to write.

    Attributes:
        model: in evaluation, with the twin in it.
        processor: of the model.
        twin: None where the base is alone.
        digest: of all weights.
    """

    model: PocketForConditionalGeneration
    processor: PocketProcessor
    twin: Twin | None
    digest: str

    @property
    def tokenizer(self) -> Any:
        """Returns the model's tokenizer."""
        return self.processor.tokenizer


def opened(base: str = "", adapter: str = "") -> Opened:
    """Returns the model of two folders; without a name the shipped base with the shipped twin.

    Args:
        base: folder of a pocket MLLM.
        adapter: folder of a twin of it; none where only a base is named.

    Raises:
        WeightsMissing: a folder is not there.
        InputFault: a folder does not hold what it should, or the twin is of another base.
        MissingExtra: torch or transformers is not installed.
    """
    from deixis.learned.twin.needs import require

    places = folders(base, adapter)
    require()
    return _opened(*places)


def folders(base: str = "", adapter: str = "") -> tuple[Path, Path | None]:
    """Returns where base and twin lie; a base that is named alone has no twin.

    Raises:
        WeightsMissing: a folder is not there.
        InputFault: a folder holds no safetensors.
    """
    first = _folder(base, BASE)
    return first, _folder(adapter, TWIN) if adapter or not base else None


def _packaged(name: str) -> Path:
    return Path(str(files(HOME))) / name


def _folder(named: str, name: str) -> Path:
    folder = Path(named) if named else _packaged(name)
    if not folder.is_dir() or not any(folder.iterdir()):
        missing = WeightsMissing(named or name, "pocket", str(folder.parent))
        missing.cure = (
            "Name the folders of a base and of its twin, as `deixis train` writes them: "
            "planner pocket with base=FOLDER and adapter=FOLDER; or plan by rules."
        )
        raise missing
    if not any(folder.glob("*.safetensors")):
        raise InputFault(
            "planner.pocket.pickled",
            f"{folder} holds no safetensors file.",
            "Save it with save_pretrained: pickled weights can run code and are not read.",
        )
    return folder.resolve()


@lru_cache(maxsize=KEPT)
def _opened(base: Path, adapter: Path | None) -> Opened:
    from deixis.learned.mllm.build import load

    model, processor = load(base)
    twin = None
    if adapter is not None:
        from deixis.learned.twin import attach

        twin = attach(model, adapter)
        twin.eval()
    parts = [path for folder in (base, adapter) if folder for path in sorted(folder.glob("*.safetensors"))]
    return Opened(model, processor, twin, "-".join(sha256_of(path)[:8] for path in parts))
