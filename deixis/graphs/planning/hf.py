"""The planner on any Hugging Face image-text model, with a twin where one is named."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault, MissingExtra, PlannerFault
from deixis.geometry import Size
from deixis.graphs.planning.assembling import disarmed, harmless, processor_of
from deixis.graphs.planning.families import family_of
from deixis.graphs.planning.grounded import read_grounded
from deixis.graphs.planning.pictures import in_pixels, shrunk, told
from deixis.graphs.planning.prompt import orders, situation
from deixis.graphs.planning.protocol import Gating, NextStep, PlanReply, PlanRequest, schema
from deixis.graphs.planning.replies import read_reply
from deixis.learned.formats.frame import INPUT_PIXELS, NAMED, PictureFrame
from deixis.media.refs import ImageRef, MediaSource
from deixis.tools.protocol import in_thread

if TYPE_CHECKING:
    from deixis.learned.twin.twin import Twin

LEAST_S = 1.0
REFERENCES = "references"
"""In the place of a format: the model is told to point at what tools gave, and to write no places."""


class HFPlanner:
    """Writes a request with the model's chat template, generates greedily, reads the step.

    Attributes:
        profile: the `formats.Profile` that says how the model writes places; None where it only refers.
        space: coordinate space of boxes inside JSON.
    """

    name = "hf"
    version = "1"

    def __init__(
        self,
        model: Any,
        processor: Any,
        *,
        twin: Twin | None,
        form: Any,
        space: str,
        side_px: int,
        most_tokens: int,
        retries: int,
        constrained: bool,
    ) -> None:
        self.profile = form.profile if form is not None else None
        self.space = space
        self._model, self._processor, self._twin = model, processor, twin
        self._form, self._side_px = form, side_px
        self._most_tokens, self._retries = most_tokens, retries
        self._lock = threading.Lock()
        self._seen: dict[str, Size] = {}
        self._marks = harmless(processor.tokenizer)
        self._constraint = _constraint(processor) if constrained else None

    async def gate(self, question: str) -> Gating:
        """Returns the expert that the twin's gate chooses for the question; none without a twin."""
        if self._twin is None:
            return Gating()
        gate = self._twin.gate
        if gate is None:
            return Gating(expert="learn", reason="the twin has no gate, and was named")
        decision = await in_thread(gate.decide, question)
        return Gating(expert="learn" if decision.mode == "learn" else "frozen", reason=decision.reason)

    async def __call__(self, request: PlanRequest, media: MediaSource) -> PlanReply:
        """Returns the next step.

        Raises:
            PlannerFault: ``planner.reply.*`` where no reply is a step; its details hold the tokens spent.
        """
        reply: PlanReply = await in_thread(self._planned, request, media)
        return reply

    def _planned(self, request: PlanRequest, media: MediaSource) -> PlanReply:
        turns = [("user", situation(request))]
        tokens = 0
        fault = PlannerFault("planner.reply.json", "The model wrote nothing.")
        for attempt in range(1, self._retries + 2):
            text, used = self._written(turns, request, media)
            tokens += used
            try:
                step = self._read(text, request)
                return PlanReply(step=step, tokens=tokens, attempts=attempt)
            except PlannerFault as error:
                fault = error
                turns = [turns[0], ("assistant", text[:4000]), ("user", f"{error} Reply again with JSON.")]
        fault.details["tokens"] = tokens
        raise fault

    def _read(self, text: str, request: PlanRequest) -> NextStep:
        image = request.images[0] if request.images else None
        if self._form is not None:
            return read_grounded(text, self._form, image, self._frame)
        return in_pixels(read_reply(text), request, self.space, lambda image: self._seen.get(image.digest))

    def _frame(self, image: ImageRef) -> PictureFrame:
        return PictureFrame(image.size, self._seen.get(image.digest, image.size))

    def _written(
        self, turns: list[tuple[str, str]], request: PlanRequest, media: MediaSource
    ) -> tuple[str, int]:
        """Returns what the model writes, and the tokens that it read and wrote."""
        import torch

        pictures = [shrunk(image, media, self._side_px) for image in request.images]
        with self._lock, torch.inference_mode():
            batch = self._batch(turns, pictures, request)
            length = int(batch["input_ids"].shape[1])
            options: dict[str, Any] = {"max_new_tokens": self._most_tokens, "do_sample": False}
            options["max_time"] = max(LEAST_S, request.left.seconds)
            if self._constraint is not None:
                options["logits_processor"] = [self._constraint(length)]
            if self._twin is not None and request.expert in ("frozen", "learn"):
                expert: Any = request.expert
                with self._twin.using(expert):
                    out = self._model.generate(**batch, **options)
            else:
                out = self._model.generate(**batch, **options)
        written = out[0][length:]
        text = self._processor.tokenizer.decode(written, skip_special_tokens=self._form is None)
        return text, length + len(written)

    def _batch(self, turns: list[tuple[str, str]], pictures: list[Any], request: PlanRequest) -> Any:
        parts: list[dict[str, Any]] = [{"type": "image"} for _ in pictures]
        words = [(role, disarmed(text, self._marks) if role == "user" else text) for role, text in turns]
        first = [*parts, {"type": "text", "text": words[0][1]}]
        how = self.profile.system_prompt if self.profile is not None else told(self.space)
        dialogue = [
            {"role": "system", "content": [{"type": "text", "text": orders(how)}]},
            {"role": "user", "content": first},
            *({"role": role, "content": [{"type": "text", "text": text}]} for role, text in words[1:]),
        ]
        text = self._processor.apply_chat_template(dialogue, add_generation_prompt=True)
        batch = self._processor(text=[text], images=pictures or None, return_tensors="pt")
        self._remember(batch, pictures, request)
        return batch.to(self._model.device)

    def _remember(self, batch: Any, pictures: list[Any], request: PlanRequest) -> None:
        """Keeps the size of each picture as the model sees it, for boxes in pixels of the input."""
        grids = batch["image_grid_thw"].tolist() if "image_grid_thw" in batch else []
        patch = getattr(getattr(self._processor, "image_processor", None), "patch_size", 14)
        for place, (image, picture) in enumerate(zip(request.images, pictures, strict=True)):
            size = Size(width=picture.width, height=picture.height)
            if place < len(grids):
                _, high, wide = grids[place]
                size = Size(width=wide * patch, height=high * patch)
            self._seen[image.digest] = size


def _constraint(processor: Any) -> Any:
    """Returns a maker of logits processors that hold the model to the schema of a step.

    Raises:
        MissingExtra: llguidance is not installed.
    """
    try:
        import llguidance
        import llguidance.hf
    except ImportError as error:
        raise MissingExtra("learned", "llguidance", "Holding a model to the schema of a step") from error
    import numpy as np
    import torch

    known = llguidance.hf.from_tokenizer(processor.tokenizer)
    grammar = llguidance.LLMatcher.grammar_from_json_schema(schema())

    class Held:
        """Allows at each place only the tokens with which a step can go on."""

        def __init__(self, prompt: int) -> None:
            self._matcher = llguidance.LLMatcher(known, grammar)
            self._read = prompt

        def __call__(self, input_ids: Any, scores: Any) -> Any:
            for token in input_ids[0][self._read :].tolist():
                self._matcher.consume_token(token)
            self._read = input_ids.shape[1]
            bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
            allowed = np.flatnonzero(np.unpackbits(bits, bitorder="little")[: scores.shape[-1]])
            held = torch.full_like(scores, float("-inf"))
            rows = torch.as_tensor(allowed, device=scores.device)
            held[:, rows] = scores[:, rows]
            return held

    return Held


def hf(
    model: str = "",
    *,
    twin: str = "",
    format: str = "",
    space: str = "",
    side_px: int = 768,
    most_tokens: int = 800,
    retries: int = 1,
    constrained: bool = False,
    device: str = "",
) -> HFPlanner:
    """Returns the planner on a model that a folder holds.

    Args:
        model: folder that ``save_pretrained`` wrote, with model and processor.
        twin: adapter folder of a twin (`deixis.learned.twin`), whose gate chooses the expert.
        format: how the model writes places in words, a name of `deixis.learned.formats`, whose profile states
            the coordinate space; without it that of the model's family, where one is known
            (`planning.families`). ``references`` has it write no places of its own.
        space: coordinate space of boxes inside JSON, in the place of a format.
        side_px: longer side of the pictures that the model sees.
        most_tokens: that it writes a step.
        retries: further tries with the parse error shown.
        constrained: hold it to the JSON schema (llguidance); without it a reply may be no step.
        device: ``cpu``, ``cuda``; where it was loaded if empty.

    Raises:
        InputFault: ``planner.hf.model`` without a folder, ``planner.hf.option`` for an option that does not
            fit, ``planner.hf.processor`` without a chat template; the twin's and the base's own.
        MissingExtra: torch, transformers or llguidance is not installed.
    """
    from deixis.learned.twin.needs import require

    if not model:
        raise InputFault("planner.hf.model", "The planner hf needs a model's folder.", "Give model=FOLDER.")
    if (
        side_px < 1
        or most_tokens < 1
        or retries < 0
        or (space and space not in NAMED and space != INPUT_PIXELS)
    ):
        raise InputFault(
            "planner.hf.option",
            "side_px and most_tokens are at least 1, retries at least 0, space a known space.",
            "Change the options of the planner hf.",
        )
    from deixis.learned import formats

    form = formats.get(format, space=space or None) if format not in ("", REFERENCES) else None
    require()
    from deixis.learned.twin.loading import load_base

    folder = Path(model)
    base = load_base(folder)
    processor = processor_of(folder, base.config)
    family = family_of(base.config.model_type)
    if family is not None and family.format and not (format or space):
        form = formats.get(family.format)
    attached = None
    if twin:
        from deixis.learned.twin import attach

        attached = attach(base, Path(twin))
    if device:
        base.to(device)
    return HFPlanner(
        base,
        processor,
        twin=attached,
        form=form,
        space=space,
        side_px=side_px,
        most_tokens=most_tokens,
        retries=retries,
        constrained=constrained,
    )
