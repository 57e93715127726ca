"""The runnable examples as modules."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).parent.parent.parent / "examples"


def example(name: str) -> ModuleType:
    """Returns the example of that name, loaded from its file as somebody's own program would be."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # annotations of routes are looked up there
    spec.loader.exec_module(module)
    return module
