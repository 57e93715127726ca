"""Reads every error that the package can raise out of its source, and writes the page about them.

python -m tests.docs.error_codes    # writes docs/errors/README.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deixis import registry
from deixis.cli.failure import EXIT_CODES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "errors" / "README.md"
FAMILIES = {
    "InputFault": "input",
    "MissingExtra": "input",
    "WeightsMissing": "input",
    "ToolFault": "tool",
    "PlannerFault": "planner",
    "RunStopped": "stopped",
    "DeixisError": "error",
}

HEAD = """# Error codes

Every error that deixis raises on purpose has a stable code, a message and a cure. The command line prints
all three in one line and leaves with the exit code of the error's family; `--json` prints them as
`{"error": {"family", "code", "message", "cure", "details"}}`. In Python they are attributes of
`deixis.errors.DeixisError`. Words in braces are filled in.

| family | class | exit code | meaning |
| --- | --- | --- | --- |
| input | `InputFault` | 2 | the caller's input, settings or installation; the cure says what to change |
| tool | `ToolFault` | 3 | a tool failed; within a run the answer goes on without it and says so |
| planner | `PlannerFault` | 4 | a planner gave something that is not a valid step |
| stopped | `RunStopped` | 5 | a budget, a person or a signal ended the work; what was found is kept |
| input | | 2 | `cli.usage`: the command line itself, `input.permission`: a file that may not be touched |
| error | | 1 | `unexpected`: a defect; `--debug` shows the traceback |

This page is written by `make docs` from the source.

| code | family | message | cure | raised in |
| --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Raised:
    """One place in the source that makes an error."""

    code: str
    family: str
    message: str
    cure: str
    module: str


def words(node: ast.expr | None) -> str:
    """Returns the text of a string expression, with ``{what}`` where something is filled in."""
    if node is None:
        return ""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            words(part) if isinstance(part, ast.Constant) else "{" + _name(part) + "}" for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return words(node.left) + words(node.right)
    if isinstance(node, ast.IfExp):
        return f"{words(node.body)} / {words(node.orelse)}"
    return "{" + _name(node) + "}"


def _name(node: ast.expr) -> str:
    """Returns a short name for what is filled in: the last name that the expression speaks of."""
    names = [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
    attributes = [part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)]
    return (attributes or names or ["…"])[0]


def _codes(node: ast.expr, function: ast.AST) -> list[str]:
    """Returns the codes that a code expression can have: a string, or a variable of the same function."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        template = words(node)
        kinds = [r.kind for r in vars(registry).values() if isinstance(r, registry.Registry)]
        return [template.replace("{kind}", kind) for kind in kinds] if "{kind}" in template else [template]
    if isinstance(node, ast.IfExp):
        return _codes(node.body, function) + _codes(node.orelse, function)
    if isinstance(node, ast.Name):
        return [
            code
            for part in ast.walk(function)
            if isinstance(part, ast.Assign) and any(getattr(t, "id", "") == node.id for t in part.targets)
            for code in _codes(part.value, function)
        ]
    return []


def _made(function: ast.AST) -> Iterator[tuple[str, list[ast.expr], dict[str | None, ast.expr]]]:
    """Yields the class, arguments and keywords of every error that a function makes."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            keywords = {word.arg: word.value for word in node.keywords}
            if isinstance(node.func, ast.Name) and node.func.id in FAMILIES:
                yield node.func.id, node.args, keywords


def raised_in(path: Path) -> Iterator[Raised]:
    """Yields every error that one module makes under a code of its own."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    tree = ast.parse(path.read_text("utf-8"))
    for scope in ast.walk(tree):
        if isinstance(scope, ast.ClassDef) and scope.name in FAMILIES:  # errors with a code of their own
            for node in ast.walk(scope):
                if (
                    isinstance(node, ast.Call)
                    and ast.unparse(node.func) == "super().__init__"
                    and len(node.args) > 1
                ):
                    yield from _raised(scope.name, node.args, {}, scope, module)
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            for name, arguments, keywords in _made(scope):
                yield from _raised(name, arguments, keywords, scope, module)


def _raised(
    name: str,
    arguments: list[ast.expr],
    keywords: dict[str | None, ast.expr],
    scope: ast.AST,
    module: str,
) -> Iterator[Raised]:
    given = [
        *arguments,
        *[keywords[key] for key in ("code", "message", "cure") if key in keywords],
        None,
        None,
    ]
    if given[0] is None or (
        name in ("MissingExtra", "WeightsMissing") and not isinstance(scope, ast.ClassDef)
    ):
        return
    for code in _codes(given[0], scope):
        if "." in code:
            yield Raised(code, FAMILIES[name], words(given[1]), words(given[2]), module)


@cache
def every_error() -> tuple[Raised, ...]:
    """Returns all errors of the package, by code; one code may be raised in several places."""
    found = {one for path in (ROOT / "deixis").rglob("*.py") for one in raised_in(path)}
    return tuple(sorted(found, key=lambda one: (one.code, one.module, one.message, one.cure, one.family)))


def page() -> str:
    """Returns the text of the page."""
    rows = []
    for one in every_error():
        cells = (f"`{one.code}`", one.family, one.message, one.cure, f"`{one.module}`")
        rows.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    assert set(FAMILIES.values()) <= set(EXIT_CODES)
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), "utf-8")
    print(PAGE.relative_to(ROOT))
