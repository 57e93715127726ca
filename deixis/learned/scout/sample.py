"""The training sample: a question about media, and the steps that answer it.

The steps are those of a run (`deixis.trace.Step`), so a stored run can be trained on and a sample can be
looked at like a run. What the tools said is in the steps' observations; where the words point is in
their spans.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePosixPath
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from deixis.geometry import Box, Frozen, Size, TimeSpan
from deixis.media.refs import AudioRef, Digest, ImageRef
from deixis.trace import RunRecord, Step, Trace

Absence = Literal["", "absent", "false_premise", "unrelated_sound"]
"""What the right answer denies: nothing; that the thing or sound asked for is there; what the question takes
for granted; that anything in the picture makes the sound."""
Split = Literal["train", "validation", "test"]


class SampleMedium(Frozen):
    """A picture or a sound of a sample: what it is, and where it comes from.

    `source` is ``world/scene:SEED``, ``world/clip:SEED``, ``world/pair:SEED`` (the pair's picture or sound,
    by `kind`), each with changed settings after a ``?``, or a path relative to the data's folder.
    """

    kind: Literal["image", "audio"]
    digest: Digest
    source: str = Field(min_length=1)
    width: int | None = Field(default=None, ge=1, description="pixels; of pictures only")
    height: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, ge=0, description="of sounds only")
    rate_hz: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "image" and (self.width is None or self.height is None):
            raise ValueError("a picture has a width and a height")
        if self.kind == "audio" and self.seconds is None:
            raise ValueError("a sound has a length in seconds")
        return self

    @property
    def size(self) -> Size:
        """Returns width and height in pixels.

        Raises:
            ValueError: this is a sound.
        """
        if self.width is None or self.height is None:
            raise ValueError("a sound has no size")
        return Size(width=self.width, height=self.height)

    @property
    def image(self) -> ImageRef:
        """Returns the reference by which tools are asked about this picture.

        Raises:
            ValueError: this is a sound.
        """
        return ImageRef(digest=self.digest, size=self.size, format=self._format)

    @property
    def audio(self) -> AudioRef:
        """Returns the reference by which tools are asked about this sound.

        Raises:
            ValueError: this is a picture.
        """
        if self.seconds is None:
            raise ValueError("a picture is not heard")
        rate = self.rate_hz or 16_000
        return AudioRef(
            digest=self.digest, rate_hz=rate, channels=1, duration_s=self.seconds, format=self._format
        )

    @property
    def _format(self) -> str:
        drawn = self.source.startswith("world/")
        return "drawn" if drawn else PurePosixPath(self.source).suffix[1:].upper()


class RuleVerdict(Frozen):
    """What one check said of a sample."""

    rule: str
    passed: bool
    note: str = ""


class Sample(Frozen):
    """A question, its media, and the steps to its answer. The last step is the answer.

    `value` is the answer in its barest form for measuring (``yes``, ``3``, ``red``); empty where only the
    text and its spans are the answer. `versions` names the maker and each tool asked, with its version.
    """

    schema_version: Literal[1] = 1
    id: str = Field(default="", description="sha256: of the content; filled in where it is empty")
    media: tuple[SampleMedium, ...] = ()
    question: str = Field(min_length=1)
    task: str = Field(min_length=1, description="where, presence, relation, sound_source, …")
    steps: tuple[Step, ...] = Field(min_length=1)
    value: str = ""
    absence: Absence = ""
    split: Split = "train"
    maker: str = ""
    versions: dict[str, str] = {}
    verdicts: tuple[RuleVerdict, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.steps[-1].kind != "answer":
            raise ValueError("the last step is the answer")
        if not self.id:
            object.__setattr__(self, "id", self.digest())
        return self

    def digest(self) -> str:
        """Returns the digest of the content: of everything but the id and the verdicts of checks."""
        content = self.model_dump(mode="json", exclude={"id", "verdicts"}, exclude_defaults=True)
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"

    @property
    def answer(self) -> str:
        """Returns the answer's text."""
        return self.steps[-1].text

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Returns the boxes that the answer points at, in pixels, each once, in order."""
        return tuple(dict.fromkeys(box for span in self.steps[-1].spans for box in span.boxes))

    @property
    def times(self) -> tuple[TimeSpan, ...]:
        """Returns the stretches of time that the answer points at, in seconds, each once, in order."""
        return tuple(dict.fromkeys(time for span in self.steps[-1].spans for time in span.times))

    @property
    def images(self) -> tuple[SampleMedium, ...]:
        """Returns the pictures, in order."""
        return tuple(medium for medium in self.media if medium.kind == "image")

    @property
    def audios(self) -> tuple[SampleMedium, ...]:
        """Returns the sounds, in order."""
        return tuple(medium for medium in self.media if medium.kind == "audio")

    def line(self) -> str:
        """Returns the sample as one line of JSON, defaults left out, without a newline."""
        content = {"schema_version": 1, **self.model_dump(mode="json", exclude_defaults=True)}
        return json.dumps(content, ensure_ascii=True, separators=(",", ":"))

    def trace(self) -> Trace:
        """Returns the sample as a run: a header made of its facts, and its own steps."""
        record = RunRecord(
            run=f"scout-{self.id.removeprefix('sha256:')[:12]}",
            question=self.question,
            profile=self.maker,
            graph="scout",
            started="",
            status="complete",
            media=tuple(medium.digest for medium in self.media),
            names=tuple(medium.source for medium in self.media),
            steps=len(self.steps),
        )
        return Trace(record=record, steps=self.steps)


def parsed(text: str | bytes) -> Sample:
    """Returns the sample of a line of JSON.

    Raises:
        ValueError: it is no JSON, or no sample.
    """
    data: Any = json.loads(text)
    return Sample.model_validate(data)
