"""Label files that are not published as files: read out of a pinned file, without running any of it."""

from __future__ import annotations

import ast
import io
import json
import zipfile

from deixis.errors import InputFault
from deixis.tools.weights.manifest import Derivation


def derived_bytes(how: Derivation, source: bytes) -> bytes:
    """Returns the bytes that `how` reads out of `source`; deterministic, so they can be pinned.

    Raises:
        InputFault: `source` has not the expected form.
    """
    try:
        return _zip_member(source, how.member) if how.kind == "zip_member" else _names(source, how.member)
    except (KeyError, ValueError, TypeError, SyntaxError, zipfile.BadZipFile) as error:
        raise InputFault(
            "weights.underivable",
            f"{how.member!r} cannot be read out of the downloaded file: {error}.",
            "Fetch it again with: deixis models pull",
        ) from error


def _zip_member(source: bytes, member: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(source)) as archive:
        return archive.read(member)


def _names(source: bytes, variable: str) -> bytes:
    """Returns a JSON list of the ``name`` of each record in the module-level list `variable`."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == variable for target in node.targets
        ):
            return json.dumps([record["name"] for record in ast.literal_eval(node.value)]).encode()
    raise KeyError(variable)
