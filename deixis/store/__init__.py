"""What is kept on disk: media by the digest of their content, runs by their id."""

from deixis.store.runs import RunLog
from deixis.store.store import Store

__all__ = ["RunLog", "Store"]
