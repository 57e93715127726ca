"""Makes traces of real media: recogniser → question maker → trace maker, each stage replaceable."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deixis.errors import DeixisError, InputFault
from deixis.learned.scout.photos.asking import RuleQuestions, RuleTraces
from deixis.learned.scout.photos.recogniser import ToolRecogniser
from deixis.learned.scout.photos.stages import Ask, QuestionMaker, Recognised, Recogniser, TraceMaker, Written
from deixis.learned.scout.sample import Sample, SampleMedium, Split
from deixis.learned.scout.sources import SampleMedia, read_medium
from deixis.learned.scout.tape import ToolCaller
from deixis.media.refs import AudioRef, ImageRef, MediaSource
from deixis.tools.toolbox import Toolbox

SUFFIXES = frozenset(".jpg .jpeg .png .webp .bmp .gif .tif .tiff .wav .flac .ogg .oga .opus .mp3".split())
SHRUNK = 0.8
"""The size at which the second run looks at a picture; things that are clear are found at both."""


class PhotoMaker:
    """Makes samples of files below `root`; each unit is a picture, a sound, or a picture and a sound."""

    name = "photos"
    version = "1"

    def __init__(
        self,
        root: Path,
        toolbox: Toolbox,
        recogniser: Recogniser | None = None,
        questions: QuestionMaker | None = None,
        traces: TraceMaker | None = None,
        split: Split = "train",
        seed: int = 0,
    ) -> None:
        self._root, self._toolbox, self._split, self._seed = root, toolbox, split, seed
        self._recogniser = recogniser or ToolRecogniser(toolbox)
        self._questions = questions or RuleQuestions()
        self._traces = traces or RuleTraces()
        self._asks: dict[str, Ask] = {}
        self._second: tuple[tuple[str, ...], Recognised] | None = None
        self.passed_over: Counter[str] = Counter()
        """Media that could not be used, by the code of the error."""

    def make(self, files: Sequence[str]) -> tuple[Sample, ...]:
        """Returns the samples of one unit: paths relative to the root; none where it cannot be used."""
        try:
            media = [read_medium(self._root / name, name) for name in files]
            source = SampleMedia(media, self._root)
            seen = self._recogniser.recognise(media, source)
        except DeixisError as error:
            self.passed_over[error.code] += 1
            return ()
        seed = int.from_bytes(
            hashlib.sha256("\0".join(files).encode("utf-8", "surrogateescape")).digest()[:4]
        )
        rng = np.random.default_rng([self._seed, seed])
        caller = ToolCaller(self._toolbox, source)
        self._asks.clear()
        samples = []
        for ask in self._questions.ask(media, seen, rng):
            written = self._traces.write(media, seen, ask, caller, rng)
            if written is not None:
                sample = self._finished(media, seen, written)
                self._asks[sample.id] = ask
                samples.append(sample)
        return tuple(samples)

    def again(self, sample: Sample) -> Sample | None:
        """Returns the sample made again, of the picture at `SHRUNK` of its size; None where it cannot be.

        Only the samples of the last unit can be made again.
        """
        ask = self._asks.get(sample.id)
        if ask is None:
            return None
        media = list(sample.media)
        source = _Shrunk(SampleMedia(media, self._root))
        key = tuple(medium.digest for medium in media)
        try:
            if self._second is None or self._second[0] != key:
                self._second = (key, self._recogniser.recognise(media, source))
            seen, rng = self._second[1], np.random.default_rng(0)
            written = self._traces.write(media, seen, ask, ToolCaller(self._toolbox, source), rng)
        except DeixisError:
            return None
        return self._finished(media, seen, written) if written is not None else None

    def _finished(self, media: Sequence[SampleMedium], seen: Recognised, written: Written) -> Sample:
        stages = {
            "recogniser": f"{type(self._recogniser).__name__}/{self._recogniser.version}",
            "questions": f"{type(self._questions).__name__}/{self._questions.version}",
            "traces": f"{type(self._traces).__name__}/{self._traces.version}",
        }
        draft = written.draft
        return Sample(
            media=tuple(media),
            question=draft.question,
            task=draft.task,
            steps=written.tape.steps(),
            value=draft.value,
            absence=draft.absence,
            split=self._split,
            maker=f"{self.name}/{self.version}",
            versions={**stages, **seen.versions, **written.tape.versions},
        )


class _Shrunk:
    """The media of another source, pictures at a part of their size."""

    def __init__(self, source: MediaSource) -> None:
        self._source = source

    def pixels(self, image: ImageRef, max_side: int | None = None) -> NDArray[np.uint8]:
        """Returns the picture, shrunk."""
        side = max(image.size.width, image.size.height)
        wanted = max(1, round(min(side, max_side or side) * SHRUNK))
        return self._source.pixels(image, wanted)

    def samples(self, audio: AudioRef, rate_hz: int) -> NDArray[np.float32]:
        """Returns the sound as it is."""
        return self._source.samples(audio, rate_hz)


def media_files(root: Path) -> list[tuple[str, ...]]:
    """Returns every picture and sound below a folder as a unit of its own, sorted, told by suffix.

    Raises:
        InputFault: there is no such folder, or it holds none.
    """
    if not root.is_dir():
        raise InputFault("scout.data.missing", f"There is no folder {root}.", "Name a folder with --data.")
    found = sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    if not found:
        raise InputFault(
            "scout.data.empty", f"There are no pictures and no sounds in {root}.", "Name another folder."
        )
    return [(name,) for name in found]
