"""Corrections on the command line: ``--box 2.1#3=10,20,60,80`` and its kin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from deixis.graphs.corrections import Correction

BOX = typer.Option([], "--box", help="Move a box: 2.1#3=X1,Y1,X2,Y2 (call 2.1, its box 3, in pixels).")
TIMES = typer.Option([], "--times", help="Move a sound: 1.2~1=START,END in seconds.")
REMOVE = typer.Option([], "--remove", help="Take away a box 2.1#3, a sound 1.2~1 or a tag 1.1^2.")
LABEL = typer.Option([], "--label", help="Rename it: 1.1^2=NAME.")
ADD = typer.Option([], "--add", help="Add to a call: 2.1:NAME=X1,Y1,X2,Y2, 1.2:NAME=START,END or 1.1:NAME.")
TEXT = typer.Option([], "--text", help="Give a step other words: 3=WORDS.")


def corrections(
    box: list[str], times: list[str], remove: list[str], label: list[str], add: list[str], text: list[str]
) -> list[Correction]:
    """Returns what the options ask for.

    Raises:
        typer.BadParameter: one is not in its form.
    """
    made = [_one("--box", ref=ref, box=_box("--box", rest)) for ref, rest in _split("--box", box)]
    made += [_one("--times", ref=ref, times=_span("--times", rest)) for ref, rest in _split("--times", times)]
    made += [_one("--remove", ref=ref.strip(), remove=True) for ref in remove]
    made += [_one("--label", ref=ref, label=rest) for ref, rest in _split("--label", label)]
    for given in add:
        head, _, rest = given.partition("=")
        call, _, name = head.partition(":")
        places: dict[str, Any] = {}
        if rest:
            places = {"box": _box("--add", rest)} if rest.count(",") == 3 else {"times": _span("--add", rest)}
        made.append(_one("--add", ref=call.strip(), add=name.strip(), **places))
    for number, words in _split("--text", text):
        if not number.isdigit():
            raise typer.BadParameter(f"{number!r} is not the number of a step", param_hint="--text")
        made.append(_one("--text", step=int(number), text=words))
    return made


def _split(option: str, given: list[str]) -> list[tuple[str, str]]:
    rows = [one.partition("=") for one in given]
    if any(not equals for _, equals, _ in rows):
        raise typer.BadParameter("write WHAT=NEW", param_hint=option)
    return [(ref.strip(), rest.strip()) for ref, _, rest in rows]


def _numbers(option: str, text: str, count: int) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise typer.BadParameter(f"{text!r} is not {count} numbers", param_hint=option)
    return numbers


def _box(option: str, text: str) -> dict[str, float]:
    return dict(zip(("x1", "y1", "x2", "y2"), _numbers(option, text, 4), strict=True))


def _span(option: str, text: str) -> dict[str, float]:
    return dict(zip(("start_s", "end_s"), _numbers(option, text, 2), strict=True))


def _one(option: str, **facts: Any) -> Correction:
    from pydantic import ValidationError

    from deixis.graphs.corrections import Correction

    try:
        return Correction.model_validate(facts)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise typer.BadParameter(said, param_hint=option) from error
