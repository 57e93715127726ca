"""The pocket MLLM: encoders, adapters, and a decoder of transformers.

Media come as pixels and log-mel pictures, or, in trainings, as rows that were made of them before
(`deixis.learned.mllm.rows`). The n-th picture of a batch fills the n-th run of picture tokens, row after row
of the batch; likewise sounds and things. The encoders are never trained here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModel, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from deixis.errors import InputFault
from deixis.learned.mllm.adapters import PictureAdapter, SoundAdapter
from deixis.learned.mllm.config import PocketConfig
from deixis.learned.mllm.hearing import Hearing
from deixis.learned.mllm.pointing import COLUMNS, Pointing, remembered, visible_tokens
from deixis.learned.mllm.rows import picture_rows, sound_rows
from deixis.learned.mllm.sight import Sight

MEDIA_INPUTS = (
    "pixel_values", "picture_shares", "picture_rows", "log_mel", "sound_seconds", "sound_rows",
    "object_boxes", "object_pictures", "object_numbers", "object_scores",
)  # fmt: skip
"""Inputs that belong to the prompt: generation hands them over with its first pass only."""


@dataclass
class PocketOutput(CausalLMOutputWithPast):
    """What the model gives; with `logits_at` the logits are (n, vocabulary), of the chosen positions."""


class PocketPreTrainedModel(PreTrainedModel):  # type: ignore[no-untyped-call]
    """What all of the pocket MLLM shares."""

    config_class = PocketConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_attention_backend = True
    _keep_in_fp32_modules_strict = {"eye", "ear"}

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> Any:
        """Returns the stored model, as `PreTrainedModel.from_pretrained` does.

        Weights that lie in a mapped file at odd addresses are computed with in another order, so they are
        moved: a stored model gives the very logits of the one that was stored.
        """
        found = super().from_pretrained(*args, **kwargs)
        model = found[0] if isinstance(found, tuple) else found
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.data = tensor.data.clone()
        return found


class PocketModel(PocketPreTrainedModel):
    """Encoders, adapters and the decoder without its head."""

    def __init__(self, config: PocketConfig) -> None:
        super().__init__(config)
        self.language_model = AutoModel.from_config(config.text_config)  # type: ignore[no-untyped-call]
        self.eye = Sight(**{key: config.eye[key] for key in ("channels", "neck", "kinds", "vector")})
        self.ear = Hearing(**{key: value for key, value in config.ear.items() if key != "limits"})
        self.picture_adapter = PictureAdapter(config)
        self.sound_adapter = SoundAdapter(config)
        for encoder in (self.eye, self.ear):
            encoder.requires_grad_(False)
        self.post_init()  # type: ignore[no-untyped-call]

    def get_input_embeddings(self) -> Any:
        """Returns the embeddings of the tokens."""
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Takes other embeddings of the tokens."""
        self.language_model.set_input_embeddings(value)

    def get_decoder(self) -> Any:
        """Returns the decoder, whose ``layers[i].mlp`` are what a twin doubles."""
        return self.language_model

    @torch.no_grad()
    def see(self, pixel_values: torch.Tensor, shares: torch.Tensor | None = None) -> torch.Tensor:
        """Returns the rows (n, r, f) of pictures (n, 3, h, w) in -1..1.

        Args:
            pixel_values: the pictures.
            shares: (n, 2), of width and height that are picture; all of it if None.
        """
        wide = pixel_values.to(self.eye.scale.dtype)
        maps = self.eye(wide)
        shown = ((wide + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
        found = []
        for number in range(len(wide)):
            real = (1.0, 1.0) if shares is None else tuple(float(one) for one in shares[number])
            rows = picture_rows(maps, number, shown[number], real, self.config.objects, self.config.cells)  # type: ignore[arg-type]
            found.append(torch.from_numpy(rows))
        return torch.stack(found).to(pixel_values.device)

    @torch.no_grad()
    def hear(self, log_mel: torch.Tensor, seconds: torch.Tensor) -> torch.Tensor:
        """Returns the rows (n, r, f) of log-mel pictures (n, t, 64) of sounds of so many seconds (n,)."""
        heard = self.ear(log_mel.to(self.ear.activity.weight.dtype))
        config = self.config
        found = [
            sound_rows(heard, number, float(long), config.ear["limits"], config.events, config.windows)
            for number, long in enumerate(seconds)
        ]
        return torch.from_numpy(np.stack(found)).to(log_mel.device)

    def embedded(self, input_ids: torch.Tensor, media: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns the embeddings (b, t, d) of tokens, with media in their places, and where these are.

        The latter, (b, t, `COLUMNS`), is for `Pointing`: edges and times in bins and the number of the
        proposal, -1 where there is none.

        Raises:
            InputFault: there are more or fewer media than places.
        """
        config = self.config
        embed = self.get_input_embeddings()
        pictures = media.get("picture_rows")
        if pictures is None and media.get("pixel_values") is not None:
            pictures = self.see(media["pixel_values"], media.get("picture_shares"))
        sounds = media.get("sound_rows")
        if sounds is None and media.get("log_mel") is not None:
            sounds = self.hear(media["log_mel"], media["sound_seconds"])
        tokens: dict[str, torch.Tensor | None] = {"picture": None, "sound": None, "thing": None}
        places: dict[str, torch.Tensor] = {}
        if pictures is not None:
            pictures = pictures.float()
            tokens["picture"] = self.picture_adapter(pictures, embed).flatten(0, 1)
            places["picture"] = self.picture_adapter.places(pictures).flatten(0, 1)
            if media.get("object_boxes") is not None and len(media["object_boxes"]):
                tokens["thing"], places["thing"] = self._things(pictures, media, embed)
        if sounds is not None:
            tokens["sound"] = self.sound_adapter(sounds.float(), embed).flatten(0, 1)
            places["sound"] = self.sound_adapter.places(sounds.float()).flatten(0, 1)
        embeds = embed(input_ids)
        where = embeds.new_full((*input_ids.shape, COLUMNS), -1.0)
        for what, token in (
            ("picture", config.picture_token_id),
            ("sound", config.sound_token_id),
            ("thing", config.object_token_id),
        ):
            mine = input_ids == token
            embeds = _placed(embeds, mine, tokens[what], what)
            if what in places:
                where = _placed(where, mine, places[what], what)
        return embeds, where

    def _things(
        self, pictures: torch.Tensor, media: dict[str, Any], embed: nn.Embedding
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns the tokens (m, d) of things: the best row for each box, with the box and its number.

        The second are their places (m, `COLUMNS`).
        """
        boxes = media["object_boxes"].to(pictures.dtype)
        rows = thing_rows(pictures[media["object_pictures"]], boxes, media.get("object_scores"))
        tokens = self.picture_adapter.single(rows, embed)
        numbers = torch.tensor(self.config.proposals, device=rows.device)[media["object_numbers"] - 1]
        places = boxes.new_full((len(boxes), COLUMNS), -1.0)
        places[:, :4] = boxes.clamp(0, 1) * self.config.bins
        places[:, -1] = media["object_numbers"].to(places.dtype)
        return tokens + embed(numbers), places

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: torch.Tensor | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Returns the decoder's output."""
        media = {name: kwargs.pop(name) for name in MEDIA_INPUTS if name in kwargs}
        if inputs_embeds is None:
            if input_ids is None:
                raise ValueError("input_ids or inputs_embeds")
            inputs_embeds, _ = self.embedded(input_ids, media)
        return self.language_model(
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            **kwargs,
        )


class PocketForConditionalGeneration(PocketPreTrainedModel, GenerationMixin):
    """The pocket MLLM."""

    _tied_weights_keys = {"lm_head.weight": "model.language_model.embed_tokens.weight"}

    def __init__(self, config: PocketConfig) -> None:
        super().__init__(config)
        self.model = PocketModel(config)
        text = config.text_config
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)
        self.pointing = Pointing(config)
        self.post_init()  # type: ignore[no-untyped-call]

    def get_input_embeddings(self) -> Any:
        """Returns the embeddings of the tokens."""
        return self.model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Takes other embeddings of the tokens."""
        self.model.set_input_embeddings(value)

    def get_output_embeddings(self) -> Any:
        """Returns the head."""
        return self.lm_head

    def get_decoder(self) -> Any:
        """Returns the decoder, whose ``layers[i].mlp`` are what a twin doubles."""
        return self.model.get_decoder()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: torch.Tensor | None = None,
        places: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | torch.Tensor = 0,
        logits_at: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        picture_shares: torch.Tensor | None = None,
        picture_rows: torch.Tensor | None = None,
        log_mel: torch.Tensor | None = None,
        sound_seconds: torch.Tensor | None = None,
        sound_rows: torch.Tensor | None = None,
        object_boxes: torch.Tensor | None = None,
        object_pictures: torch.Tensor | None = None,
        object_numbers: torch.Tensor | None = None,
        object_scores: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> PocketOutput:
        """Returns logits, and with `labels` (b, t; -100 where there is none) the mean loss over the tokens.

        Args:
            input_ids: (b, t).
            attention_mask: (b, t), or (b, 1, t, t) where True may be seen.
            position_ids: (b, t).
            past_key_values: the cache.
            inputs_embeds: instead of `input_ids`, media included, and with `places` where these are.
            places: see `PocketModel.embedded`; nothing can be pointed at without it.
            labels: as `input_ids`; the token at t is predicted at t - 1.
            use_cache: whether a cache is made.
            logits_to_keep: how many of the last positions get logits; 0 is all.
            logits_at: (b, t) bool: only these positions get logits, which are then (n, vocabulary).
            pixel_values: pictures (n, 3, h, w) in -1..1, with `picture_shares` (n, 2) that are picture.
            picture_shares: see there.
            picture_rows: instead of them rows (n, r, f).
            log_mel: sounds (n, t, 64) with their `sound_seconds` (n,).
            sound_seconds: see there.
            sound_rows: instead of them rows (n, r, f).
            object_boxes: things (m, 4) as shares of their pictures' width and height.
            object_pictures: (m,) which picture of the batch.
            object_numbers: (m,) the number of the proposal, from 1.
            object_scores: (m,) in 0..1.
            kwargs: what the decoder takes.
        """
        if inputs_embeds is None:
            if input_ids is None:
                raise ValueError("input_ids or inputs_embeds")
            media = {
                "pixel_values": pixel_values,
                "picture_shares": picture_shares,
                "picture_rows": picture_rows,
                "log_mel": log_mel,
                "sound_seconds": sound_seconds,
                "sound_rows": sound_rows,
                "object_boxes": object_boxes,
                "object_pictures": object_pictures,
                "object_numbers": object_numbers,
                "object_scores": object_scores,
            }
            inputs_embeds, places = self.model.embedded(input_ids, media)
        elif places is None:
            places = inputs_embeds.new_full((*inputs_embeds.shape[:2], COLUMNS), -1.0)
        out = self.model(
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            **kwargs,
        )
        hidden = out.last_hidden_state
        keys = self.pointing.key(inputs_embeds)
        keys, places = remembered(
            out.past_key_values, self.config.text_config.num_hidden_layers, keys, places
        )
        if logits_at is None:
            kept = slice(-logits_to_keep or None, None) if isinstance(logits_to_keep, int) else logits_to_keep
            asked = hidden[:, kept]
            logits = self.lm_head(asked)
        else:
            kept, asked = slice(None), hidden
            logits = self.lm_head(hidden[logits_at])
        seen = visible_tokens(attention_mask, hidden.shape[0], hidden.shape[1], keys.shape[1], hidden.device)
        logits = self.pointing(logits, asked, keys, places, seen[:, kept], logits_at)
        loss = None
        if labels is not None:
            where = labels[:, 1:] != -100
            said = logits if logits_at is not None else logits[:, :-1][where]
            loss = functional.cross_entropy(said.float(), labels[:, 1:][where])
        return PocketOutput(
            loss=loss,
            logits=logits,
            past_key_values=out.past_key_values,
            hidden_states=getattr(out, "hidden_states", None),
            attentions=getattr(out, "attentions", None),
        )

    def prepare_inputs_for_generation(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the inputs of the next pass; media only for the first, or where there is no cache."""
        if not kwargs.get("is_first_iteration") and kwargs.get("use_cache", True):
            kwargs = {name: value for name, value in kwargs.items() if name not in MEDIA_INPUTS}
        given: Any = super()
        return given.prepare_inputs_for_generation(*args, **kwargs)

    def twin_probe_inputs(self, seed: int) -> list[dict[str, Any]]:
        """Returns inputs with a random picture, and with a random sound, on which experts are compared."""
        config, places = self.config, torch.Generator().manual_seed(seed)
        words = torch.randint(
            config.text_config.vocab_size // 2, config.text_config.vocab_size, (2, 1, 9), generator=places
        )
        pixels = torch.rand((1, 3, config.side, config.side), generator=places) * 2 - 1
        heard = {"log_mel": torch.randn((1, 256, 64), generator=places), "sound_seconds": torch.tensor([2.5])}
        found = []
        for own, token, count, media in (
            (words[0], config.picture_token_id, config.picture_tokens, {"pixel_values": pixels}),
            (words[1], config.sound_token_id, config.sound_tokens, heard),
        ):
            ids = torch.cat([torch.full((1, count), token), own], 1)
            given = {"input_ids": ids, "attention_mask": torch.ones_like(ids), **media}
            found.append({name: value.to(self.device) for name, value in given.items()})
        return found


def targets_at(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the positions (b, t) whose next token has a label, for `logits_at`, and these labels (n,)."""
    where = torch.zeros_like(labels, dtype=torch.bool)
    where[:, :-1] = labels[:, 1:] != -100
    return where, labels[:, 1:][where[:, :-1]]


def thing_rows(pictures: torch.Tensor, boxes: torch.Tensor, scores: torch.Tensor | None) -> torch.Tensor:
    """Returns a row (m, f) for each box (m, 4; shares) of the rows (m, r, f) of its picture.

    It is the row whose box overlaps most (where none does, whose middle is nearest), with this box.
    """
    own = pictures[..., -4:]
    low = torch.maximum(own[..., :2], boxes[:, None, :2])
    high = torch.minimum(own[..., 2:], boxes[:, None, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    area = (own[..., 2:] - own[..., :2]).clamp(min=0).prod(-1)
    union = area + (boxes[:, None, 2:] - boxes[:, None, :2]).clamp(min=0).prod(-1) - shared
    off = ((own[..., :2] + own[..., 2:]) - (boxes[:, None, :2] + boxes[:, None, 2:])).abs().sum(-1)
    fit = shared / union.clamp(min=1e-6) - 1e-3 * off - 1e3 * (pictures[..., -5] < 0.5)
    best = fit.argmax(1)
    rows = pictures[torch.arange(len(boxes), device=boxes.device), best]
    head = rows[:, :-6]
    sure = rows[:, -6:-5] if scores is None else scores.to(rows.dtype)[:, None]
    return torch.cat([head, sure, torch.ones_like(sure), boxes], 1)


def _placed(
    embeds: torch.Tensor, where: torch.Tensor, tokens: torch.Tensor | None, what: str
) -> torch.Tensor:
    """Returns the embeddings with `tokens` (n, d) at the n places."""
    places, given = int(where.sum()), 0 if tokens is None else len(tokens)
    if places != given:
        raise InputFault(
            "mllm.media.count",
            f"The text has {places} places for {what} tokens, but {given} came.",
            "Give every picture, sound and thing that the text speaks of, in its order.",
        )
    if tokens is None:
        return embeds
    return embeds.masked_scatter(where.unsqueeze(-1), tokens.to(embeds.dtype))
