"""The media that clients have sent: in a folder of the server's own, by digest, the oldest go first."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from deixis.errors import InputFault, ToolFault
from deixis.geometry import Frozen
from deixis.media.refs import AudioRef, Digest, ImageRef, MediaRef, VideoRef
from deixis.store import Store
from deixis.tools.protocol import in_thread
from deixis.tools.serving.faults import slow
from deixis.tools.serving.settings import ServeSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Model = TypeVar("Model", bound=Frozen)
MOST_FACTS = 100_000
DURATION_S = 0.05
"""Two decoders may count the length of the same file a little differently."""


class Shelf:
    """A `MediaSource` over what was sent; facts about a medium are found here, never believed."""

    def __init__(self, root: Path, settings: ServeSettings) -> None:
        self._store = Store(root, allow_network=settings.allow_network, limits=settings.media)
        self._settings = settings
        self._facts: OrderedDict[Digest, tuple[MediaRef, str]] = OrderedDict()
        self._decodes = asyncio.Semaphore(settings.decodes)
        self._uploads = 0
        self._trimming = threading.Lock()
        self._since_trim = settings.max_media_bytes  # looked at once at the first medium

    # What tools ask for.

    def pixels(self, image: ImageRef, max_side: int | None = None) -> NDArray[np.uint8]:
        """Returns the upright RGB picture, shape (h, w, 3), uint8; see `MediaSource`."""
        return self._store.pixels(image, max_side)

    def samples(self, audio: AudioRef, rate_hz: int) -> NDArray[np.float32]:
        """Returns the mono sound at `rate_hz`, shape (n,), float32 in -1..1; see `MediaSource`."""
        return self._store.samples(audio, rate_hz)

    # What clients send.

    async def receive(self, digest: Digest, blocks: AsyncIterator[bytes]) -> MediaRef:
        """Returns the facts of a medium that arrives in blocks; kept only where it can be used.

        Raises:
            InputFault: it is above the limits, too slow, another content than the digest says, or not
                a medium in a known format.
            ToolFault: too many media are arriving; the disk is full.
        """
        self._store.blobs.path(digest)  # the form of a digest, or a fault: nothing else becomes a path
        if self._uploads >= self._settings.uploads:
            raise ToolFault(
                "serve.uploads.full",
                f"{self._uploads} media are on their way in; there is no room for more.",
                "Send it again later, after the time that Retry-After says.",
                retry_after_s=1.0,
            )
        self._uploads += 1
        try:
            with self._store.blobs.scratch() as path:
                await self._gathered(digest, blocks, path)
                return await self._taken(path)
        finally:
            self._uploads -= 1

    async def fetch(self, url: str) -> MediaRef:
        """Returns the facts of a medium at a public address.

        Raises:
            InputFault: the network is not allowed, the address is private, or it is not a usable medium.
        """
        return await self._taken(url)

    async def facts(self, digest: Digest) -> MediaRef:
        """Returns what is known of a medium.

        Raises:
            InputFault: there is no such medium here.
        """
        known = self._facts.get(digest)
        if known is not None and os.path.exists(known[1]):  # noqa: PTH110  # a Path a request is dear
            self._facts.move_to_end(digest)
            return known[0]
        return await self._taken(self._store.path(digest))  # of an earlier process

    async def bound(self, request: Model) -> Model:
        """Returns the request with every reference to a medium replaced by what is known of it here.

        Raises:
            InputFault: a medium is not here, or the request says other facts of it; a list or a text is
                above the limits.
        """
        changes = {}
        for field in type(request).model_fields:
            value = getattr(request, field)
            new = await self._bound(value)
            if new is not value:
                changes[field] = new
        return request.model_copy(update=changes) if changes else request

    async def _bound(self, value: Any) -> Any:
        if isinstance(value, ImageRef | AudioRef | VideoRef):
            return await self._known(value)
        if isinstance(value, Frozen):
            return await self.bound(value)
        if isinstance(value, str | tuple):
            most = self._settings.max_text if isinstance(value, str) else self._settings.max_items
            if len(value) > most:
                raise InputFault(
                    "serve.request.too_many",
                    f"A {'text' if isinstance(value, str) else 'list'} of {len(value)} is above {most}.",
                    "Ask in several requests.",
                )
        if isinstance(value, tuple) and any(isinstance(item, Frozen | str | tuple) for item in value):
            items = [await self._bound(item) for item in value]
            return tuple(items) if any(a is not b for a, b in zip(items, value, strict=True)) else value
        return value

    async def _known(self, said: MediaRef) -> MediaRef:
        found = await self.facts(said.digest)
        same = type(found) is type(said)
        if isinstance(found, ImageRef) and isinstance(said, ImageRef):
            same = found.size == said.size
        elif isinstance(found, AudioRef) and isinstance(said, AudioRef):
            same = abs(found.duration_s - said.duration_s) <= DURATION_S
        if not same:
            raise InputFault(
                "serve.media.facts",
                f"{said.digest} is another kind or size of medium than the request says.",
                "Send the reference that PUT /media gave.",
            )
        return found

    async def _gathered(self, digest: Digest, blocks: AsyncIterator[bytes], path: Path) -> None:
        """Writes a medium into `path` while it arrives, and compares its digest."""
        limit, limit_s = self._settings.media.max_file_bytes, self._settings.upload_s
        hashed, size = hashlib.sha256(), 0
        try:
            with path.open("wb") as file:
                async with asyncio.timeout(limit_s):
                    async for block in blocks:
                        size += len(block)
                        if size > limit:
                            raise InputFault(
                                "input.media.too_big_file",
                                f"The medium is larger than {limit / 1e6:g} MB.",
                                "Cut it or scale it down.",
                            )
                        _take(block, file, hashed)
        except TimeoutError as error:
            raise slow("The medium", limit_s) from error
        if not hmac.compare_digest(f"sha256:{hashed.hexdigest()}", digest):
            raise InputFault(
                "serve.digest.mismatch",
                f"{size} bytes arrived, and their digest is not {digest}.",
                "Send the whole file under its own sha256.",
            )

    async def _taken(self, source: Path | str) -> MediaRef:
        async with self._decodes:
            found: MediaRef = await in_thread(self._store.add, source)
        found = found.model_copy(update={"name": ""})
        path = self._store.path(found.digest)
        self._facts[found.digest] = (found, str(path))
        self._facts.move_to_end(found.digest)
        while len(self._facts) > MOST_FACTS:
            self._facts.popitem(last=False)
        self._since_trim += path.stat().st_size
        if self._since_trim > self._settings.max_media_bytes // 10:
            self._since_trim = 0
            await in_thread(self._trim, found.digest)
        return found

    def _trim(self, keep: Digest) -> None:
        """Removes the media that came first, down to 9 tenths of the limit; the newest stays."""
        with self._trimming:
            spared = self._store.blobs.path(keep)
            files = []
            for path in self._store.blobs.root.glob("[0-9a-f][0-9a-f]/[0-9a-f]*"):
                try:
                    facts = path.stat()
                except FileNotFoundError:
                    continue
                files.append((facts.st_mtime, facts.st_size, path))
            total = sum(size for _, size, _ in files)
            for _, size, path in sorted(files):
                if total <= 0.9 * self._settings.max_media_bytes:
                    return
                if path != spared and time.time() - path.stat().st_mtime > 1:
                    path.unlink(missing_ok=True)
                    self._facts.pop(f"sha256:{path.name}", None)
                    total -= size


def _take(block: bytes, file: IO[bytes], hashed: Any) -> None:
    hashed.update(block)
    try:
        file.write(block)
    except OSError as error:
        raise ToolFault(
            "serve.disk.full", "The server cannot keep the medium.", "Tell who runs it."
        ) from error
