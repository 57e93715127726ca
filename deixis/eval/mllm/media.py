"""What encoders see and hear of the media, once for all systems; and the tools that answer the calls."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from deixis.errors import DeixisError, InputFault
from deixis.learned.scout.proposals import MOST
from deixis.learned.scout.sample import SampleMedium
from deixis.learned.scout.sources import RATE_HZ, SampleMedia
from deixis.learned.scout.tape import ToolCaller
from deixis.learned.scout.world.imagined import FAINT
from deixis.tools.detection.protocol import GroundRequest
from deixis.tools.hearing.protocol import HearRequest
from deixis.tools.segmentation.protocol import SegmentRequest
from deixis.tools.tagging.protocol import TagRequest
from deixis.tools.toolbox import Toolbox
from deixis.trace import Action, Observation

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Rows:
    """The rows of media by an encoder; each medium is looked at once, whichever model asks.

    Models with the same encoders (by digest) share what was seen; trainings leave the encoders alone.
    """

    def __init__(self, source: SampleMedia) -> None:
        self._source = source
        self._kept: dict[tuple[str, str], NDArray[Any]] = {}

    def of(self, model: Any, processor: Any, digest: str, medium: SampleMedium) -> NDArray[Any]:
        """Returns the rows (r, f) of a medium.

        Args:
            model: a pocket MLLM, whose encoder looks.
            processor: of the model.
            digest: of its encoders.
            medium: a picture or a sound.
        """
        key = (digest, medium.digest)
        if key not in self._kept:
            self._kept[key] = self._looked(model, processor, medium)
        return self._kept[key]

    def _looked(self, model: Any, processor: Any, medium: SampleMedium) -> NDArray[Any]:
        device = next(model.parameters()).device
        if medium.kind == "image":
            given = processor.media(images=[self._source.pixels(medium.image)])
            rows = model.model.see(given["pixel_values"].to(device), given["picture_shares"])
        else:
            given = processor.media(audio=[self._source.samples(medium.audio, RATE_HZ)])
            rows = model.model.hear(given["log_mel"].to(device), given["sound_seconds"])
        found: NDArray[Any] = rows[0].float().cpu().numpy()
        return found


class Host:
    """Runs the tool calls that a model writes; the same call about the same medium is run once for all.

    A phrase that is asked for again in the same dialogue is looked for more faintly, as in the traces that
    the twin learns from.
    """

    def __init__(self, toolbox: Toolbox, media: SampleMedia, most: int = 50_000) -> None:
        self._caller, self._media = ToolCaller(toolbox, media), media
        self._kept: OrderedDict[str, Observation] = OrderedDict()
        self._most = most
        self.calls: Counter[str] = Counter()

    def run(
        self,
        action: Action,
        media: Sequence[SampleMedium],
        before: Sequence[Action],
        threshold: float | None = None,
    ) -> Observation:
        """Returns what a tool gave, or the fault that the call ended in.

        Args:
            action: the call, as the model wrote it.
            media: of the dialogue; the first picture and the first sound are meant.
            before: the calls that were made before in this dialogue.
            threshold: of a detection; the tool's own, or a fainter one for a call made again, if None.
        """
        again = any((one.role, one.input) == (action.role, action.input) for one in before)
        make = _REQUESTS.get(action.role)
        level = threshold if threshold is not None else FAINT if again else None
        request = make(action, media, level) if make is not None else None
        self.calls[action.role] += 1
        if request is None:
            return Observation(call=action.call, status="fault", fault={"code": "tool.request"})
        key = f"{action.role} {request.model_dump_json()}"
        if key not in self._kept:
            self._kept[key] = self._answered(action, request)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return self._kept[key].model_copy(update={"call": action.call})

    def pixels(self, media: Sequence[SampleMedium]) -> NDArray[Any]:
        """Returns the first picture of the media, (h, w, 3) uint8.

        Raises:
            InputFault: there is none.
        """
        picture = _first(media, "image")
        if picture is None:
            raise InputFault("eval.mllm.picture", "There is no picture.", "Ask about a picture.")
        return self._media.pixels(picture.image)

    def _answered(self, action: Action, request: Any) -> Observation:
        if not self._caller.name(action.role):  # type: ignore[arg-type]
            return Observation(call=action.call, status="fault", fault={"code": "tool.none"})
        try:
            given = self._caller.call(action.role, request)  # type: ignore[arg-type]
        except DeixisError as fault:
            return Observation(call=action.call, status="fault", fault=fault.as_dict())
        output = given.model_dump(mode="json", exclude_defaults=True)
        return Observation(call=action.call, status="ok", output=output)


def _detection(action: Action, media: Sequence[SampleMedium], level: float | None) -> Any:
    picture = _first(media, "image")
    if picture is None:
        return None
    asked: dict[str, Any] = action.input
    return GroundRequest(
        image=picture.image,
        phrases=tuple(str(one) for one in asked.get("phrases") or ()),
        everything=bool(asked.get("everything")),
        threshold=level,
        top=MOST,
    )


def _tagging(action: Action, media: Sequence[SampleMedium], level: float | None) -> Any:
    picture = _first(media, "image")
    return None if picture is None else TagRequest(image=picture.image)


def _segmentation(action: Action, media: Sequence[SampleMedium], level: float | None) -> Any:
    picture = _first(media, "image")
    boxes: Any = action.input.get("boxes")
    return SegmentRequest(image=picture.image, boxes=boxes) if picture is not None and boxes else None


def _hearing(action: Action, media: Sequence[SampleMedium], level: float | None) -> Any:
    sound = _first(media, "audio")
    return None if sound is None else HearRequest(audio=sound.audio)


_REQUESTS: dict[str, Callable[[Action, Sequence[SampleMedium], float | None], Any]] = {
    "detection": _detection,
    "tagging": _tagging,
    "segmentation": _segmentation,
    "hearing": _hearing,
}


def _first(media: Sequence[SampleMedium], kind: str) -> SampleMedium | None:
    return next((medium for medium in media if medium.kind == kind), None)
