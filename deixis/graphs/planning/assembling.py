"""Inputs of an image-text model put together from its picture processor and its tokenizer.

In the place of processors that want torchvision for films, which are not shown here (`families`); and in the
place of `AutoProcessor` in a planner, so that pictures are prepared by PIL on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deixis.errors import InputFault, PlannerFault
from deixis.graphs.planning.families import Family, Parts, family_of

LEAST_MARK = 3
"""Signs of a special token, from which it is taken apart inside of words; shorter ones are ordinary words."""


class Assembled:
    """Does what a processor does for a prompt with pictures, for the families that are known.

    Attributes:
        tokenizer, image_processor, chat_template: as of a processor.
    """

    def __init__(self, family: Family, parts: Parts, template: str) -> None:
        self.tokenizer, self.image_processor, self.chat_template = parts.tokenizer, parts.pictures, template
        self._family, self._parts = family, parts
        self._image = parts.token(*family.image)

    def apply_chat_template(self, dialogue: Any, add_generation_prompt: bool = True) -> str:
        """Returns the dialogue as the model reads it, with one token for each picture."""
        text: str = self.tokenizer.apply_chat_template(
            dialogue,
            chat_template=self.chat_template,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
        )
        return text

    def __call__(
        self, text: Sequence[str], images: Sequence[Any] | None = None, return_tensors: str = "pt"
    ) -> Any:
        """Returns what the model takes: tokens, and what the picture processor makes of the pictures.

        Args:
            text: one prompt.
            images: its pictures in the order of their tokens.
            return_tensors: of the library, ``pt``.

        Raises:
            PlannerFault: the prompt has more or fewer places for pictures than there are pictures.
        """
        from transformers import BatchFeature

        (prompt,) = text
        images = list(images or ())
        pieces = prompt.split(self._image)
        if len(pieces) - 1 != len(images):
            raise PlannerFault(
                "planner.hf.pictures",
                f"The prompt has {len(pieces) - 1} places for {len(images)} pictures.",
                "The chat template of the model does not fit its family; save the processor again.",
            )
        made: dict[str, Any] = {}
        if images:
            shown = [images] if self._family.nested else images
            made = dict(self.image_processor(shown, return_tensors=return_tensors, **self._family.how))
            places = self._family.holds(self._parts, self._image, made, len(images))
            prompt = "".join(part for pair in zip(pieces, [*places, ""], strict=True) for part in pair)
        tokens = dict(self.tokenizer([prompt], return_tensors=return_tensors))
        tokens.pop("token_type_ids", None)
        if self._family.typed:
            mark = self.tokenizer.convert_tokens_to_ids(self._image)
            tokens["mm_token_type_ids"] = (tokens["input_ids"] == mark).long()
        kept = {key: value for key, value in made.items() if key not in self._family.unused}
        return BatchFeature({**tokens, **kept})


def processor_of(folder: Path, config: Any) -> Any:
    """Returns what puts a prompt and its pictures together for the model of a folder.

    Raises:
        InputFault: ``planner.hf.processor``: it cannot be loaded, or there is no chat template.
    """
    family = family_of(getattr(config, "model_type", ""))
    try:
        made = _whole(folder) if family is None else _assembled(folder, family, config)
    except (OSError, ValueError, KeyError, ImportError, TypeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputFault(
            "planner.hf.processor",
            f"The processor in {folder.name} cannot be loaded: {first}",
            "Save it again.",
        ) from error
    if not getattr(made, "chat_template", None) or not hasattr(made, "tokenizer"):
        raise InputFault(
            "planner.hf.processor",
            f"The model in {folder.name} has no processor with a chat template.",
            "Save the processor of an image-text model beside it.",
        )
    return made


def _whole(folder: Path) -> Any:
    import transformers

    auto: Any = transformers.AutoProcessor
    return auto.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _assembled(folder: Path, family: Family, config: Any) -> Assembled:
    import transformers

    auto: Any = transformers.AutoImageProcessor
    pictures = auto.from_pretrained(folder, backend="pil", local_files_only=True, trust_remote_code=False)
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    try:
        settings, _ = transformers.ProcessorMixin.get_processor_dict(folder, local_files_only=True)
    except OSError:  # older folders say all in the configurations of the model and of the pictures
        settings = {}
    template = settings.get("chat_template") or getattr(tokenizer, "chat_template", None) or ""
    if isinstance(template, dict):
        template = template.get("default", "")
    return Assembled(family, Parts(tokenizer, pictures, settings, config), template)


def harmless(tokenizer: Any) -> re.Pattern[str] | None:
    """Returns what finds a tokenizer's special tokens inside of words; None where it has none.

    Words of a question, a file or a tool must not end a turn, begin another, or stand for a picture.
    """
    marks = {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()}
    long = sorted((one for one in marks if len(one) >= LEAST_MARK), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, long))) if long else None


def disarmed(text: str, marks: re.Pattern[str] | None) -> str:
    """Returns the text with a space behind the first sign of every special token."""
    return text if marks is None else marks.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
