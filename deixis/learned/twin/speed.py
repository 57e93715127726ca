"""What a twin costs: switched off against the base alone, and trained against LoRA of the PEFT library."""

from __future__ import annotations

import copy
import platform
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from deixis.learned.twin.config import TwinConfig
from deixis.learned.twin.grafting import graft
from deixis.learned.twin.needs import require

Watch = Callable[[str], None]
MAPS = ("gate_proj", "up_proj", "down_proj")
BARS = {
    "overhead_switched_off": "at most 1.02",
    "training_tokens_per_second": "at least 1.0",
    "training_peak_memory": "at most 1.0",
}


def bench(
    *,
    rounds: int = 30,
    width: int = 256,
    layers: int = 8,
    rank: int = 16,
    batch: int = 4,
    length: int = 256,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    seed: int = 0,
    watch: Watch = lambda _: None,
) -> dict[str, Any]:
    """Returns figures of one run, JSON-like, on a random Qwen3 decoder.

    Both sides of a ratio take turns, round by round; a ratio is the median over rounds, with a bootstrap 95 %
    interval of it. Without an accelerator time is the CPU time of this process, which other programs disturb
    little. The twin stands in every second layer, and LoRA on the same layers and maps, with the same rank.
    """
    require("peft")
    model = _model(width, layers, device, dtype, seed)
    watch("switched off against the base")
    off = _overhead(model, rounds, rank, seed)
    watch("training against LoRA")
    speed, memory = _training(model, rounds, rank, batch, length, seed)
    ratios = {
        "overhead_switched_off": off,
        "training_tokens_per_second": speed,
        "training_peak_memory": memory,
    }
    return {
        "ratios": {name: {**part, "bar": BARS[name]} for name, part in ratios.items()},
        "settings": {
            "model": "Qwen3, random",
            "width": width,
            "layers": layers,
            "twin_layers": "every:2",
            "rank": rank,
            "batch": batch,
            "length": length,
            "rounds": rounds,
            "device": torch.cuda.get_device_name() if device.startswith("cuda") else "cpu",
            "dtype": str(dtype).removeprefix("torch."),
            "threads": torch.get_num_threads(),
            "clock": "wall" if device.startswith("cuda") else "CPU time of the process",
        },
        "versions": _versions(),
    }


def _model(width: int, layers: int, device: str, dtype: torch.dtype, seed: int) -> Any:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=2048,
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=max(1, width // 64),
        num_key_value_heads=max(1, width // 128),
        head_dim=64,
    )
    model = Qwen3ForCausalLM(config)
    torch.random.set_rng_state(state)
    placed: Any = model
    return placed.to(device=device, dtype=dtype).eval()


def _overhead(model: Any, rounds: int, rank: int, seed: int) -> dict[str, Any]:
    """Returns time per token with a twin, switched off, over time per token without; one model for both."""
    ids = _ids(model, 1, 64, seed)
    pairs = []
    for number in range(rounds + 2):
        both = {}
        for grafted in (True, False) if number % 2 else (False, True):
            twin = graft(model, TwinConfig(kind="lowrank", rank=rank)) if grafted else None
            both[grafted] = _decoding(model, ids)
            if twin is not None:
                twin.detach()
        pairs.append((both[True], both[False]))
    return _ratio(pairs[2:], "milliseconds_per_token", 1000.0)


@torch.no_grad()
def _decoding(model: Any, ids: torch.Tensor, steps: int = 24) -> float:
    """Returns seconds per token of cached decoding after a prefix."""
    out = model(input_ids=ids, use_cache=True)
    cache, last = out.past_key_values, out.logits[:, -1:].argmax(-1)
    begun = _now(ids.device)
    for _ in range(steps):
        out = model(input_ids=last, past_key_values=cache, use_cache=True)
        last = out.logits[:, -1:].argmax(-1)
    return (_now(ids.device) - begun) / steps


def _training(
    model: Any, rounds: int, rank: int, batch: int, length: int, seed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns tokens per second and peak memory of the twin's training over LoRA's."""
    from peft import LoraConfig, get_peft_model

    ids = _ids(model, batch, length, seed)
    ours = copy.deepcopy(model)
    twin = graft(ours, TwinConfig(kind="lowrank", rank=rank))
    theirs = get_peft_model(
        copy.deepcopy(model),
        LoraConfig(
            r=rank,
            lora_alpha=rank,
            lora_dropout=0.0,
            target_modules=list(MAPS),
            layers_to_transform=twin.layers,
            task_type="CAUSAL_LM",
        ),
        autocast_adapter_dtype=False,
    )
    theirs.eval()
    twin.train()
    mine = list(twin.parameters())
    other = [value for value in theirs.parameters() if value.requires_grad]
    if sum(value.numel() for value in mine) != sum(value.numel() for value in other):
        raise RuntimeError("the twin and LoRA do not have the same number of parameters")
    first, second = torch.optim.AdamW(mine, lr=1e-4), torch.optim.AdamW(other, lr=1e-4)

    def step_twin() -> None:
        with twin.using("learn"):
            ours(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        first.step()
        first.zero_grad()

    def step_lora() -> None:
        theirs(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        second.step()
        second.zero_grad()

    pairs = []
    for number in range(rounds + 2):
        both = {}
        for name, step in [("lora", step_lora), ("twin", step_twin)][:: 1 if number % 2 else -1]:
            begun = _now(ids.device)
            step()
            both[name] = ids.numel() / max(_now(ids.device) - begun, 1e-9)
        pairs.append((both["twin"], both["lora"]))
    peaks = [(_peak(step_twin, ids.device), _peak(step_lora, ids.device)) for _ in range(3)]
    memory = _ratio(peaks, "bytes", 1.0)
    memory["what"] = "highest allocation of a training step above what lay there before"
    return _ratio(pairs[2:], "tokens_per_second", 1.0), memory


def _peak(step: Callable[[], None], device: torch.device) -> int:
    """Returns the bytes by which allocations rose at most during a step."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        step()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        step()
    held = highest = 0
    profiler: Any = seen.profiler
    events = profiler.kineto_results.events()
    for event in sorted((e for e in events if e.name() == "[memory]"), key=lambda e: e.start_ns()):
        held += event.nbytes()
        highest = max(highest, held)
    return highest


def _ratio(pairs: Sequence[tuple[float, float]], unit: str, scale: float) -> dict[str, Any]:
    """Returns the median of first over second, with its interval and both medians."""
    ratios = [first / second for first, second in pairs]
    draw = random.Random(0)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(2000))
    return {
        "value": statistics.median(ratios),
        "interval": [medians[49], medians[1949]],
        "n": len(ratios),
        "twin": scale * statistics.median(first for first, _ in pairs),
        "other": scale * statistics.median(second for _, second in pairs),
        "unit": unit,
    }


def _ids(model: Any, rows: int, length: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(3, 2000, (rows, length), generator=generator).to(next(model.parameters()).device)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time()


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    names = ("torch", "transformers", "peft")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
