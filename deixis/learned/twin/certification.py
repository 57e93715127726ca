"""Proves on this machine that a twin leaves its base alone, and measures the gate."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from deixis.errors import InputFault
from deixis.learned.twin import layout
from deixis.learned.twin.certificate import KIND, signed
from deixis.learned.twin.digests import differences, tensor_digests
from deixis.learned.twin.folder import attach
from deixis.learned.twin.gates.classifier import PromptGate
from deixis.learned.twin.gates.decision import FORGET_FREE
from deixis.learned.twin.gates.features import Embed
from deixis.learned.twin.gates.measure import measure_gate
from deixis.learned.twin.gates.prompts import Prompt
from deixis.learned.twin.probes import Probe, answers, compared, make_probes, takes_pictures
from deixis.learned.twin.twin import Twin

Answers = dict[str, dict[str, torch.Tensor]]
Watch = Callable[[str], None]


def certify(
    load: Callable[[], Any],
    adapter: Path | str,
    *,
    prompts: Sequence[Prompt] = (),
    embedder: Callable[[Any], Embed | None] | None = None,
    dtypes: Sequence[torch.dtype] = (),
    probes: Callable[[Any], list[Probe]] = make_probes,
    watch: Watch = lambda _: None,
) -> dict[str, Any]:
    """Returns the signed certificate of a stored twin, JSON-like.

    `load` gives a fresh base every time it is called. For every dtype (without any: the base's own) two bases
    are loaded: one answers the probes untouched, the other gets the twin and must answer the same, bit for
    bit, with the twin switched off; again after a training step of the twin in memory; again with NaN in all
    its tensors; and again once it is detached, with every tensor hashed. The last check turns the test on
    itself: an ordinary fine-tuning step of the same feed-forward modules must fail it.

    Raises:
        InputFault: the folder is damaged or belongs to another base.
    """
    adapter = Path(adapter)
    stored = layout.read_config(adapter)
    checks: list[dict[str, Any]] = []
    remarks: list[str] = []
    base: dict[str, Any] = {}
    twin_facts: dict[str, Any] = {}
    gate: dict[str, Any] = {}
    own = None
    for dtype in dtypes or (None,):
        watch("the base alone")
        model = load()
        own = model.dtype
        before = tensor_digests(model.state_dict())
        keys = list(model.state_dict())
        tried = probes(model.to(dtype or own))
        expected = {probe.name: answers(model, probe) for probe in tried}
        if takes_pictures(model) and not any("picture" in probe.name for probe in tried):
            remarks.append(
                f"Pictures were not tried: no inputs are known for {type(model).__name__}; "
                "give it a method twin_probe_inputs(seed)."
            )
        del model

        watch("the base with the twin")
        model = load()
        embed = embedder(model) if embedder and not gate and stored.get("gate") else None
        twin = attach(model, adapter, embed=embed)
        if not gate:
            gate = _gate(twin, stored, prompts)
        base = base or _base(model, stored, before)
        twin_facts = twin_facts or _twin(twin, stored)
        label = str(dtype or own).removeprefix("torch.")
        model.to(dtype or own)
        checks += _checks(
            model, twin, tried, expected, label, before if dtype in {None, own} else None, keys, watch
        )
    failed = [check for check in checks if not check["passed"]]
    return signed(
        {
            "kind": KIND,
            "format": 1,
            "verdict": "failed" if failed else "passed",
            "complete": not remarks,
            "base": base,
            "twin": twin_facts,
            "checks": checks,
            "gate": gate,
            "remarks": remarks,
            "machine": _machine(),
        }
    )


def _checks(
    model: Any,
    twin: Twin,
    tried: list[Probe],
    expected: Answers,
    dtype: str,
    before: dict[str, str] | None,
    keys: list[str],
    watch: Watch,
) -> list[dict[str, Any]]:
    done = [_same("twin switched off", model, twin, tried, expected, dtype)]
    layers = [twin.board.sites[number] for number in twin.layers]
    with twin.using("learn"):
        changed = [
            name for name, part in _tables(model, tried, expected).items() if not part["logits"]["equal"]
        ]
    done[0]["twin_changes"] = changed
    watch("a training step of the twin")
    with twin.using("learn"):
        moved = _step(model, list(twin.parameters()), tried[0])
    check = _same("switched off after a training step of the twin", model, twin, tried, expected, dtype)
    done.append({**check, "passed": check["passed"] and moved > 0})
    for parameter in twin.parameters():
        parameter.data.fill_(float("nan"))
    done.append(_same("switched off with NaN in the twin", model, twin, tried, expected, dtype))
    twin.detach()
    done.append(_same("detached", model, None, tried, expected, dtype))
    state = model.state_dict()
    wrong = differences(before, tensor_digests(state)) if before is not None else []
    renamed = list(state) != keys
    hashed = (
        "not hashed in a dtype that is not the base's own"
        if before is None
        else f"{len(before)} tensors hashed"
    )
    detail = f"changed: {', '.join(wrong[:5])}" if wrong else hashed
    done.append(
        {"name": "tensors of the base", "dtype": dtype, "passed": not wrong and not renamed, "detail": detail}
    )
    watch("the negative control")
    weights = [value for site in layers for value in site.module.parameters() if value.is_floating_point()]
    moved = _step(model, weights, tried[0])
    control = _tables(model, tried, expected)
    noticed = [name for name, part in control.items() if not part["logits"]["equal"]]
    detail = f"an ordinary fine-tuning step is noticed by {len(noticed)} of {len(control)} probes"
    done.append(
        {"name": "negative control", "dtype": dtype, "passed": bool(noticed) and moved > 0, "detail": detail}
    )
    return done


def _tables(model: Any, tried: list[Probe], expected: Answers) -> dict[str, dict[str, dict[str, Any]]]:
    return {probe.name: compared(expected[probe.name], answers(model, probe)) for probe in tried}


def _same(
    name: str, model: Any, twin: Twin | None, tried: list[Probe], expected: Answers, dtype: str
) -> dict[str, Any]:
    if twin is None:
        tables = _tables(model, tried, expected)
    else:
        with twin.using("frozen"):
            tables = _tables(model, tried, expected)
    unequal = [
        f"{probe}: {part}"
        for probe, parts in tables.items()
        for part, row in parts.items()
        if not row["equal"]
    ]
    count = sum(len(parts) for parts in tables.values())
    detail = f"{count - len(unequal)} of {count} answers bit-equal ({', '.join(tables)})"
    detail += f"; not equal: {', '.join(unequal)}" if unequal else ""
    return {"name": name, "dtype": dtype, "passed": not unequal, "detail": detail, "probes": tables}


def _step(model: Any, parameters: list[torch.nn.Parameter], probe: Probe) -> int:
    """Returns how many tensors one step of signed gradients on a probe's own text has changed."""
    for parameter in parameters:
        parameter.requires_grad_(True)
    ids = probe.inputs["input_ids"]
    with torch.enable_grad():
        logits = model(**probe.inputs, use_cache=False).logits[:, :-1].float()
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    moved = 0
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is None or not gradient.any():
                continue
            # A share of the weights' own size, so that the step survives the rounding of 16 bits.
            size = 0.02 * float(parameter.abs().float().mean()) or 1e-3
            parameter.add_(gradient.sign() * size, alpha=-1)
            moved += 1
    return moved


def _gate(twin: Twin, stored: dict[str, Any], prompts: Sequence[Prompt]) -> dict[str, Any]:
    settings = stored.get("gate")
    extra = " The twin also has a learned router, which is not forget-free." if twin.config.router else ""
    if not settings:
        detail = "There is no gate: the caller chooses, so nothing can be misrouted."
        return {"kind": "explicit", "forget_free": True, "detail": detail + extra}
    facts = {**settings, "forget_free": FORGET_FREE[settings["kind"]]}
    label = "forget-free but for misroutes" if facts["forget_free"] else "not forget-free"
    if twin.gate is None:
        raise InputFault(
            "twin.gate.embed",
            "The gate needs the base's tokenizer, which could not be loaded.",
            "Put the tokenizer's files into the base's folder.",
        )
    gate = twin.gate
    fresh = [p for p in prompts if not (isinstance(gate, PromptGate) and gate.has_seen(p.text))]
    if not fresh:
        detail = f"A {settings['kind']} gate ({label}), not measured: no held-out prompts were given."
        return {**facts, "detail": detail + extra, "seen_in_training": len(prompts)}
    detail = f"A {settings['kind']} gate ({label}), measured on {len(fresh)} prompts"
    detail += (
        f"; {len(prompts) - len(fresh)} were left out, as it was trained on them."
        if len(fresh) < len(prompts)
        else "."
    )
    return {
        **facts,
        "detail": detail + extra,
        "seen_in_training": len(prompts) - len(fresh),
        "measured": measure_gate(gate, fresh),
    }


def _base(model: Any, stored: dict[str, Any], before: dict[str, str]) -> dict[str, Any]:
    whole = hashlib.sha256(json.dumps(before, sort_keys=True).encode()).hexdigest()
    return {
        "name": stored["base"]["name"] or stored["base"]["model_type"],
        "class": type(model).__name__,
        "dtype": str(model.dtype).removeprefix("torch."),
        "tensors": len(before),
        "digest": f"sha256:{whole}",
    }


def _twin(twin: Twin, stored: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": twin.name,
        "kind": twin.config.kind,
        "layers": twin.layers,
        "parameters": sum(value.numel() for value in twin.parameters()),
        "digest": stored["files"][layout.TENSORS],
    }


def _machine() -> dict[str, str]:
    import transformers

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "system": f"{platform.system()} {platform.machine()}",
    }
