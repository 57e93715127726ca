"""``deixis scout make``: traces of the illustrated world, or of photos and sounds through tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from deixis.cli.output import print_json, progress
from deixis.cli.scout_table import tell_statistics
from deixis.errors import InputFault

if TYPE_CHECKING:
    from deixis.learned.scout.checks.rule import Checker
    from deixis.learned.scout.photos.maker import PhotoMaker
    from deixis.learned.scout.sample import Sample
    from deixis.learned.scout.world.spec import WorldSpec

INDEPENDENT = {"light": "detection/picodet-s"}
"""The detector that finds boxes again, by profile: one that has no part in the profile."""


def make(
    out: Path = typer.Option(
        ..., "--out", "-o", help="The folder; one whose making was cut short is gone on with.", metavar="DIR"
    ),
    count: int = typer.Option(
        1000, "--count", min=1, help="How many scenes and sounds; of photos, the most."
    ),
    seed: int = typer.Option(
        1_000_000, "--seed", min=0, help="The world's first; below 100000 it is a test set, 900000 validates."
    ),
    questions: int = typer.Option(4, "--questions", min=1, max=50, help="About each picture or sound."),
    absences: float = typer.Option(
        0.32, "--absences", min=0, max=1, help="Share whose answer is: not there."
    ),
    mix: str = typer.Option(
        "0.6,0.25,0.15", "--mix", help="Shares of pictures, pictures with sound, sounds alone, in the world."
    ),
    side: int = typer.Option(160, "--side", min=32, max=2048, help="Pixels of a scene's side."),
    noise: float = typer.Option(
        1.0, "--noise", min=0, max=3, help="How wrong imagined tools are; 0 makes them right."
    ),
    tools: str = typer.Option(
        "", "--tools", help="A profile whose tools are run on the world, instead of imagining them."
    ),
    data: Path | None = typer.Option(
        None, "--data", help="Make traces of the photos and sounds in this folder instead.", metavar="DIR"
    ),
    pairs: Path | None = typer.Option(
        None, "--pairs", help="A JSON list of {image, audio}: paths in --data that belong together or not."
    ),
    profile: str = typer.Option("auto", "--profile", "-p", help="The tools for --data."),
    refuse: list[Path] = typer.Option(
        [], "--refuse", help="A list of what is of a test set: digests, file names, numbers. Repeatable."
    ),
    reground: str = typer.Option(
        "", "--reground", help="A detector that finds each box again; 'none': none."
    ),
    agreement: bool = typer.Option(True, help="With --data: make each sample twice, and keep what agrees."),
    as_json: bool = typer.Option(False, "--json", help="Print the manifest as JSON."),
) -> None:
    """Make checked samples as JSON lines. Killed and called again, it goes on where it was."""
    from deixis.learned.scout.making import make_samples
    from deixis.learned.scout.store import MANIFEST, SampleStore, read_manifest

    if data is None:
        spec = _spec(questions, absences, mix, side, noise)
        units: Sequence[Any] = range(seed, seed + count)
        plan, make_unit = _world(spec, seed, tools)
        maker = None
    else:
        units, plan, maker = _photos(data, pairs, count, profile, questions, absences)
        make_unit = maker.make
        reground = reground or INDEPENDENT.get(str(plan["profile"]), "none")
    plan |= {"refused": [path.name for path in refuse], "reground": reground, "agreement": agreement}
    again = maker.again if maker is not None and agreement else None
    checker = checker_for(refuse, "" if reground == "none" else reground, data, again)
    with progress() as display:
        task = display.add_task("pictures and sounds", total=len(units))
        outcome = make_samples(
            SampleStore(out, plan),
            units,
            make_unit,
            checker,
            lambda done, _: display.update(task, completed=done),
            lambda: {"passed_over": dict(maker.passed_over)} if maker is not None else {},
        )
    if as_json:
        print_json(read_manifest(out))
        return
    tell_statistics(outcome.statistics)
    typer.echo(f"{outcome.statistics.samples} samples in {out}; facts in {out / MANIFEST}")
    if maker is not None and maker.passed_over:
        typer.echo(f"Passed over: {dict(maker.passed_over)}", err=True)


def checker_for(
    refuse: Sequence[Path], reground: str, root: Path | None, again: Callable[..., Any] | None = None
) -> Checker:
    """Returns the checks: of form, doubles and leaks always, the others where they are asked for."""
    from deixis import registry
    from deixis.learned.scout.checks.again import AgreementRule, RegroundRule
    from deixis.learned.scout.checks.doubles import DoubleRule, LeakRule, refused_names
    from deixis.learned.scout.checks.form import form_rules
    from deixis.learned.scout.checks.rule import Checker, Rule

    rules: list[Rule] = [*form_rules(), DoubleRule()]
    rules.append(LeakRule([name for path in refuse for name in refused_names(path)]))
    if reground:
        rules.append(RegroundRule(registry.tools.create(reground), root))
    if again is not None:
        rules.append(AgreementRule(again))
    return Checker(rules)


def _spec(questions: int, absences: float, mix: str, side: int, noise: float) -> WorldSpec:
    from dataclasses import replace

    from deixis.learned.scout.world.maker import with_side
    from deixis.learned.scout.world.spec import NoiseSpec, WorldSpec

    try:
        pictures, pairs, sounds = (float(part) for part in mix.split(","))
        if min(pictures, pairs, sounds) < 0 or pictures + pairs + sounds <= 0:
            raise ValueError("negative")
    except ValueError as error:
        raise InputFault(
            "scout.mix.invalid", f"--mix {mix!r} is not three shares.", "Give three numbers: 0.6,0.25,0.15."
        ) from error
    spec = WorldSpec(questions=questions, absences=absences, pictures=pictures, pairs=pairs, sounds=sounds)
    return with_side(replace(spec, noise=NoiseSpec().times(noise)), side)


def _world(
    spec: WorldSpec, seed: int, tools: str
) -> tuple[dict[str, Any], Callable[[Any], Sequence[Sample]]]:
    from dataclasses import asdict

    from deixis.learned.scout.world.maker import WorldMaker

    toolbox = None
    plan: dict[str, Any] = {"maker": f"world/{WorldMaker.version}", "seed": seed, "spec": asdict(spec)}
    if tools:
        from deixis.agent.profile import load_profile

        toolbox = load_profile(tools).toolbox()
        plan["tools"] = _versions(toolbox)
    maker = WorldMaker(spec, toolbox)
    return plan, lambda number: maker.make(number).samples


def _photos(
    data: Path, pairs: Path | None, count: int, profile: str, questions: int, absences: float
) -> tuple[list[tuple[str, ...]], dict[str, Any], PhotoMaker]:
    from deixis.agent.profile import load_profile
    from deixis.learned.scout.photos.asking import RuleQuestions
    from deixis.learned.scout.photos.maker import PhotoMaker, media_files
    from deixis.learned.scout.photos.pairs import read_pairs

    units = (read_pairs(pairs) if pairs is not None else media_files(data))[:count]
    chosen = load_profile(profile)
    toolbox = chosen.toolbox()
    plan = {
        "maker": f"photos/{PhotoMaker.version}",
        "profile": chosen.name,
        "questions": questions,
        "absences": absences,
        "pairs": pairs.name if pairs is not None else "",
        "tools": _versions(toolbox),
    }
    return units, plan, PhotoMaker(data, toolbox, questions=RuleQuestions(questions, absences))


def _versions(toolbox: Any) -> dict[str, str]:
    return {toolbox.name(role): toolbox.need(role).version for role in toolbox.roles()}
