"""The configuration of the pocket MLLM."""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig, PreTrainedConfig

MODEL_TYPE = "deixis_pocket"


class PocketConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    """What the pocket MLLM is made of.

    `text_config` is the decoder's (any decoder of transformers that has ``get_decoder().layers``). `eye`:
    channels (4), neck, kinds, vector. `ear`: channels (4), width, kinds, vector, planes (1 where it is not
    named), and the limits of its events. A picture is `objects` + `cells`² + 1 tokens, a sound `events` +
    `windows` + 1. `families` maps a family of coordinates to its first token; `bins` is its largest value.
    """

    model_type = MODEL_TYPE
    sub_configs = {"text_config": AutoConfig}

    text_config: Any = None
    eye: Any = None
    ear: Any = None
    objects: int = 12
    cells: int = 4
    events: int = 5
    windows: int = 8
    side: int = 224
    bins: int = 80
    families: dict[str, int] | None = None
    proposals: list[int] | None = None
    kind_names: list[int] | None = None
    sound_names: list[int] | None = None
    colour_names: list[int] | None = None
    picture_token_id: int = 3
    sound_token_id: int = 4
    object_token_id: int = 5
    pad_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    tie_word_embeddings: bool = True

    def __post_init__(self, **kwargs: Any) -> None:
        if isinstance(self.text_config, dict):
            kind = self.text_config.get("model_type", "qwen3")
            self.text_config = AutoConfig.for_model(**{"model_type": kind, **self.text_config})
        elif self.text_config is None:
            self.text_config = AutoConfig.for_model("qwen3")
        super().__post_init__(**kwargs)  # type: ignore[no-untyped-call]

    @property
    def picture_tokens(self) -> int:
        """Returns the number of tokens of a picture."""
        return self.objects + self.cells**2 + 1

    @property
    def sound_tokens(self) -> int:
        """Returns the number of tokens of a sound."""
        return self.events + self.windows + 1
