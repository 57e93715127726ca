"""Tools over a published network: loaded at their first request, pictures encoded once, requests together."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from deixis.errors import InputFault
from deixis.geometry import Frozen
from deixis.media.refs import Digest, ImageRef, MediaSource
from deixis.tools import pretrained
from deixis.tools.protocol import LocalTool

Net = TypeVar("Net")


@dataclass(frozen=True)
class Source(Generic[Net]):
    """A network whose files are here: how it is loaded, and the digest of its weights."""

    load: Callable[[], Net]
    digest: Callable[[], Digest]


def checkpoint_of(model: str | Path, pulled: Mapping[str, str]) -> tuple[Path, Callable[[], Digest]]:
    """Returns the path of a checkpoint by its short name or its path, and what gives its digest.

    Args:
        model: a key of `pulled`, or a path.
        pulled: manifest names by short name.

    Raises:
        WeightsMissing, InputFault: it is not here.
    """
    from deixis.tools.weights import locate

    if str(model) in pulled:
        weight = locate(pulled[str(model)])
        return weight.path, lambda: weight.digest
    path = Path(model).expanduser()
    if not path.is_file():
        raise InputFault(
            "weights.model.absent", f"There is no checkpoint {model}.", "Name a file that is here."
        )
    return path, lambda: pretrained.files_digest([path])


def folder_source(model: str, revision: str | None, load: Callable[[Path], Net]) -> Source[Net]:
    """Returns the source of a model in a folder, or in the hub's cache; its files are opened later.

    Args:
        model: a path, or an id of the hub.
        revision: of the hub.
        load: makes the network of the folder.

    Raises:
        InputFault: it is not here, or holds no safetensors.
    """
    folder = pretrained.folder_of(model, revision)
    files = pretrained.folder_weights(folder)
    if not files:
        pretrained.files_digest(files)
    return Source(lambda: load(folder), lambda: pretrained.files_digest(files))


In = TypeVar("In", bound=Frozen)
Out = TypeVar("Out", bound=Frozen)


class LoadedTool(LocalTool[In, Out], Generic[In, Out, Net]):
    """A tool with a network, which it loads at its first request."""

    def __init__(self, name: str, load: Callable[[], Net], digest: Callable[[], Digest]) -> None:
        """Keeps the loader.

        Args:
            name: registry name.
            load: makes the network.
            digest: gives that of the weights; called once.
        """
        self.name = name
        self._load, self._digest_of = load, digest
        self._network: Net | None = None
        self._lock = threading.RLock()

    @property
    def network(self) -> Net:
        """Returns the network, loaded now if it was not yet.

        Raises:
            InputFault, ToolFault: it cannot be loaded.
        """
        with self._lock:
            if self._network is None:
                self._network = self._load()
            return self._network

    @cached_property
    def _digest(self) -> Digest:
        return self._digest_of()

    @property
    def weights_digest(self) -> Digest:
        """Returns the digest of the weights; a model's folder is read for it once, pulled files are not."""
        return self._digest

    def run(self, request: In, media: MediaSource) -> Out:
        """Returns what `run_many` gives for this request alone.

        Raises:
            DeixisError: what it ended in.
        """
        (outcome,) = self.run_many([request], media)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    @abstractmethod
    def run_many(self, requests: Sequence[In], media: MediaSource) -> list[Out | Exception]:
        """Returns one outcome a request, in their order; what can share a pass does."""


class PictureTool(LoadedTool[In, Out, Net]):
    """A tool whose network encodes a picture by itself: all requests for one picture share that.

    Attributes:
        kept: pictures whose encoding is remembered.
        encodings: pictures encoded so far.
    """

    kept: ClassVar[int] = 4

    def __init__(self, name: str, load: Callable[[], Net], digest: Callable[[], Digest]) -> None:
        super().__init__(name, load, digest)
        self._encoded: OrderedDict[Digest, Any] = OrderedDict()
        self.encodings = 0

    def run_many(self, requests: Sequence[In], media: MediaSource) -> list[Out | Exception]:
        """Returns one outcome a request; those for one picture go through the network together.

        A picture that cannot be used spoils no other one.
        """
        pictures: dict[ImageRef, list[int]] = {}
        for row, request in enumerate(requests):
            pictures.setdefault(request.image, []).append(row)  # type: ignore[attr-defined]
        outcomes: dict[int, Out | Exception] = {}
        for rows in pictures.values():
            try:
                found: Sequence[Out | Exception] = self.of_picture([requests[row] for row in rows], media)
            except Exception as error:  # handed to whoever asked about this picture
                found = [error] * len(rows)
            outcomes.update(zip(rows, found, strict=True))
        return [outcomes[row] for row in range(len(requests))]

    @abstractmethod
    def of_picture(self, requests: Sequence[In], media: MediaSource) -> list[Out]:
        """Returns the outputs of requests that are all about one picture, in their order."""

    def encoding(self, image: ImageRef, media: MediaSource) -> Any:
        """Returns the encoded picture; each of the last few is encoded once."""
        if image.digest not in self._encoded:
            network: Any = self.network
            self._encoded[image.digest] = network.encode(media.pixels(image))
            self.encodings += 1
            while len(self._encoded) > self.kept:
                self._encoded.popitem(last=False)
        self._encoded.move_to_end(image.digest)
        return self._encoded[image.digest]
