"""What an MCP client may name as a picture or a sound: files below given folders, data URIs, addresses."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes

from deixis.errors import InputFault
from deixis.media.fetch import is_address

MOST_BYTES = 64_000_000


class Sources:
    """Tells which sources may be opened. A model that is told to by a stranger's text asks for any path.

    Args:
        roots: folders whose files may be opened; none: no file at all.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = [root.expanduser().resolve() for root in roots]

    def opened(self, source: str) -> str | Path | bytes:
        """Returns what the store takes in for `source`: a path, an address, or bytes.

        Raises:
            InputFault: it is outside the folders, missing, too large, or no data URI that can be read.
        """
        if source[:5].lower() == "data:":
            return _data(source)
        if is_address(source):
            return source  # the store refuses it unless the network is allowed, and private ones always
        return self._file(source)

    def _file(self, source: str) -> Path:
        try:
            bases = (
                [Path(source).expanduser()]
                if Path(source).is_absolute()
                else [r / source for r in self._roots]
            )
            for path in (base.resolve() for base in bases):
                if any(path.is_relative_to(root) for root in self._roots) and path.is_file():
                    return path
        except (OSError, ValueError, RuntimeError) as error:
            raise InputFault(
                "mcp.source.unreadable", f"{source[:200]!r} cannot be opened.", "Name another file."
            ) from error
        # Whether a file is missing or forbidden is not told apart: that, too, would tell about the disk.
        raise InputFault(
            "mcp.source.outside",
            f"There is no file {source[:200]!r} in the folders that may be read.",
            "Start deixis mcp with --root FOLDER, or send the medium as a data: URI.",
        )


def _data(uri: str) -> bytes:
    head, comma, body = uri.partition(",")
    if len(body) > MOST_BYTES * 4 // 3 + 4:
        raise InputFault(
            "mcp.source.too_large",
            f"The data URI is larger than {MOST_BYTES / 1e6:.0f} MB.",
            "Name a file, or scale it down.",
        )
    try:
        if not comma:
            raise ValueError("no comma")
        return (
            base64.b64decode(body, validate=True)
            if head.lower().endswith(";base64")
            else unquote_to_bytes(body)
        )
    except (ValueError, binascii.Error) as error:
        raise InputFault(
            "mcp.source.data", "The data URI cannot be read.", "Send data:image/png;base64,…"
        ) from error
