"""``deixis twin``: prove what a twin leaves alone, look at a stored one, measure what it costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from deixis.cli.output import print_json, print_table, progress
from deixis.errors import InputFault

app = typer.Typer(help="Twin experts of language models: certify, show, bench.")

DTYPES = ("float32", "bfloat16", "float16")


@app.callback()
def _group() -> None:
    """Twin experts of language models: certify, show, bench."""


@app.command()
def certify(
    base: Path = typer.Argument(..., help="The base: a folder of save_pretrained.", metavar="BASE"),
    adapter: Path = typer.Argument(..., help="The twin: a folder of twin.save.", metavar="ADAPTER"),
    out: Path | None = typer.Option(
        None, "--out", help="Where the certificate goes; else into ADAPTER.", metavar="DIR"
    ),
    prompts: Path | None = typer.Option(
        None, "--prompts", help="Held-out prompts of both kinds, JSON lines.", metavar="FILE"
    ),
    dtype: list[str] = typer.Option(
        [], "--dtype", help="Also try float32, bfloat16, float16; else the base's own.", metavar="NAME"
    ),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Prove that BASE with the twin switched off is BASE, bit for bit; measure the gate."""
    from deixis.learned.twin.needs import require

    require()
    import torch

    from deixis.learned.mllm.build import register
    from deixis.learned.twin import certify as run
    from deixis.learned.twin.certificate import write_certificate
    from deixis.learned.twin.gates.features import prompt_embedder
    from deixis.learned.twin.gates.prompts import read_prompts
    from deixis.learned.twin.layout import check_files, read_config
    from deixis.learned.twin.loading import load_base, tokenizer_of

    wrong = [name for name in dtype if name not in DTYPES]
    if wrong:
        raise InputFault(
            "twin.dtype.unknown", f"There is no dtype {wrong[0]!r}.", f"Use {', '.join(DTYPES)}."
        )
    _quiet()
    register()
    settings = read_config(adapter)
    check_files(adapter, settings)
    own = settings.get("base", {}).get("dtype") or "auto"
    held_out = read_prompts(prompts) if prompts else []

    def embedder(model: Any) -> Any:
        tokenizer = tokenizer_of(base)
        return None if tokenizer is None else prompt_embedder(model, tokenizer)

    with progress() as display:
        task = display.add_task("certify", total=None)
        certificate = run(
            lambda: load_base(base, own),
            adapter,
            prompts=held_out,
            embedder=embedder,
            dtypes=[getattr(torch, name) for name in dtype],
            watch=lambda stage: display.update(task, description=stage),
        )
    _, page = write_certificate(certificate, out or adapter)
    if as_json:
        print_json(certificate)
    else:
        rows = [
            (check["name"], check["dtype"], "passed" if check["passed"] else "FAILED", check["detail"])
            for check in certificate["checks"]
        ]
        print_table("", ("check", "dtype", "result", ""), rows)
        for line in [
            certificate["gate"]["detail"],
            *certificate["remarks"],
            f"{certificate['verdict']}: {page}",
        ]:
            typer.echo(line)
    if certificate["verdict"] != "passed":
        raise typer.Exit(1)


@app.command()
def show(
    adapter: Path = typer.Argument(..., help="A folder of twin.save.", metavar="ADAPTER"),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Show what a stored twin is, after checking that its files are as they were written."""
    from deixis.learned.twin.certificate import read_certificate
    from deixis.learned.twin.layout import CERTIFICATE, TENSORS, check_files, read_config

    config = read_config(adapter)
    check_files(adapter, config)
    path = adapter / CERTIFICATE
    certificate = read_certificate(path) if path.is_file() else None
    if as_json:
        print_json({**config, "certificate": certificate})
        return
    twin, base, gate = config["twin"], config["base"], config["gate"]
    proved = "none; run: deixis twin certify BASE ADAPTER"
    if certificate is not None:
        ours = certificate["twin"]["digest"] == config["files"][TENSORS]
        proved = (
            f"{certificate['verdict']}, {certificate['digest']}" if ours else "of another state of this twin"
        )
    kind = "the caller chooses"
    if gate:
        kind = (
            f"{gate['kind']}, {'forget-free but for misroutes' if gate['forget_free'] else 'NOT forget-free'}"
        )
    rows = [
        ("name", twin["name"]),
        ("kind", twin["kind"]),
        ("layers", ", ".join(map(str, config["layers"]))),
        ("parameters", f"{config['parameters']:,}"),
        ("base", f"{base['name'] or base['model_type']} ({base['class']}, {base['dtype']})"),
        ("base tensors", f"{len(base['touched'])} touched, {len(base['others'])} others, known by digest"),
        ("gate", kind),
        ("router", "learned, NOT forget-free where it is used" if twin["router"] else "none"),
        ("certificate", proved),
        ("written by", ", ".join(f"{name} {number}" for name, number in config["versions"].items())),
    ]
    print_table("", ("", ""), rows)


@app.command()
def bench(
    rounds: int = typer.Option(30, "--rounds", min=5, help="Pairs of measurements."),
    width: int = typer.Option(256, "--width", min=64, help="Of the model that is measured."),
    layers: int = typer.Option(8, "--layers", min=2, help="Of the model that is measured."),
    rank: int = typer.Option(16, "--rank", min=1, help="Of the low-rank twin and of LoRA."),
    threads: int = typer.Option(1, "--threads", min=1, help="CPU threads."),
    device: str = typer.Option("cpu", "--device", help="cpu or cuda."),
    dtype: str = typer.Option("float32", "--dtype", help="float32 or bfloat16."),
    json_file: Path | None = typer.Option(None, "--json", help="Keep the figures.", metavar="FILE"),
) -> None:
    """Measure a switched-off twin against its base, and the low-rank twin against PEFT's LoRA."""
    from deixis.learned.twin.needs import require

    require("peft")
    import torch

    from deixis.learned.twin import bench as measure

    if dtype not in DTYPES or device.partition(":")[0] not in {"cpu", "cuda"}:
        raise InputFault("twin.bench.where", f"There is no {dtype!r} on {device!r}.", "See the help.")
    _quiet()
    torch.set_num_threads(threads)
    with progress() as display:
        task = display.add_task("bench", total=None)
        figures = measure(
            rounds=rounds,
            width=width,
            layers=layers,
            rank=rank,
            device=device,
            dtype=getattr(torch, dtype),
            watch=lambda stage: display.update(task, description=stage),
        )
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    rows = [
        (
            name.replace("_", " "),
            f"{part['value']:.4f}",
            f"{part['interval'][0]:.4f} to {part['interval'][1]:.4f}",
            part["bar"],
        )
        for name, part in figures["ratios"].items()
    ]
    print_table("", ("ratio", "median", "95 % interval", "bar"), rows)


def _quiet() -> None:
    from transformers.utils import logging

    quiet: Any = logging
    quiet.disable_progress_bar()
    quiet.set_verbosity_error()
