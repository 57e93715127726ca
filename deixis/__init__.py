"""deixis answers questions about pictures and sounds, and points at what it says.

from deixis import Agent
answer = Agent().ask("What is making this sound?", image="yard.jpg", audio="bark.wav")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deixis.agent.agent import Agent
    from deixis.answer import GroundedAnswer

__version__ = "0.1.0"
__all__ = ["Agent", "GroundedAnswer", "__version__"]


def __getattr__(name: str) -> Any:
    """Returns the public classes on first use, so that `import deixis` stays light."""
    if name == "Agent":
        from deixis.agent.agent import Agent

        return Agent
    if name == "GroundedAnswer":
        from deixis.answer import GroundedAnswer

        return GroundedAnswer
    raise AttributeError(f"module 'deixis' has no attribute {name!r}")
