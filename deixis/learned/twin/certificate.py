"""The certificate as a file: signed by its own digest, with a page for people."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from deixis.errors import InputFault
from deixis.learned.twin.layout import CERTIFICATE, CERTIFICATE_PAGE

KIND = "deixis.twin.certificate"


def signed(certificate: dict[str, Any]) -> dict[str, Any]:
    """Returns the certificate with the digest of everything else in it."""
    plain = {key: value for key, value in certificate.items() if key != "digest"}
    return {**plain, "digest": _digest(plain)}


def write_certificate(certificate: dict[str, Any], folder: Path) -> tuple[Path, Path]:
    """Returns the JSON file and the page that were written into `folder`.

    Raises:
        InputFault: the folder cannot be written to.
    """
    written = {
        CERTIFICATE: json.dumps(certificate, indent=1, ensure_ascii=False) + "\n",
        CERTIFICATE_PAGE: page(certificate),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in written.items():
            part = folder / f".{name}.part"
            part.write_text(text, "utf-8")
            os.replace(part, folder / name)  # noqa: PTH105
    except OSError as error:
        raise InputFault(
            "twin.certificate.unwritable",
            f"The certificate could not be written to {folder}: {error.strerror}.",
            "Name another folder with --out.",
        ) from error
    return folder / CERTIFICATE, folder / CERTIFICATE_PAGE


def read_certificate(path: Path) -> dict[str, Any]:
    """Returns a certificate whose digest is right.

    Raises:
        InputFault: it cannot be read, or was changed after it was signed.
    """
    try:
        certificate = json.loads(path.read_text("utf-8"))
        kind, digest = certificate["kind"], certificate["digest"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputFault(
            "twin.certificate.unreadable", f"{path} is no certificate.", "Run deixis twin certify again."
        ) from error
    if kind != KIND or signed(certificate)["digest"] != digest:
        raise InputFault(
            "twin.certificate.changed",
            f"{path} was changed after it was signed.",
            "Run deixis twin certify again.",
        )
    return dict(certificate)


def _digest(plain: dict[str, Any]) -> str:
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def page(certificate: dict[str, Any]) -> str:
    """Returns the certificate for people, in Markdown."""
    base, twin, gate = certificate["base"], certificate["twin"], certificate["gate"]
    lines = [
        f"# Certificate of the twin {twin['name']!r} of {base['name']}",
        "",
        f"**{certificate['verdict'].upper()}**" + ("" if certificate["complete"] else " (not complete)"),
        "",
        f"- base: {base['name']} ({base['class']}, {base['dtype']}), "
        f"{base['tensors']} tensors, {base['digest']}",
        f"- twin: {twin['kind']} in layers {', '.join(map(str, twin['layers']))}, {twin['parameters']:,} "
        f"parameters, {twin['digest']}",
        f"- machine: {', '.join(f'{name} {value}' for name, value in certificate['machine'].items())}",
        "",
        "| check | dtype | result | detail |",
        "| --- | --- | --- | --- |",
    ]
    for check in certificate["checks"]:
        result = "passed" if check["passed"] else "**FAILED**"
        lines.append(f"| {check['name']} | {check.get('dtype', '')} | {result} | {check['detail']} |")
    lines += ["", "## Gate", "", gate["detail"], ""]
    for name in ("accuracy", "misrouted_frozen", "misrouted_learn", "misrouted_hard", "abstained"):
        part = gate.get("measured", {}).get(name)
        if part and part["n"]:
            low, high = part["interval"]
            lines.append(
                f"- {name.replace('_', ' ')}: {part['value']:.2%} "
                f"({part['count']} of {part['n']}; 95 % interval {low:.2%} to {high:.2%})"
            )
    if certificate["remarks"]:
        lines += ["", "## Remarks", "", *(f"- {remark}" for remark in certificate["remarks"])]
    lines += [
        "",
        "Bit-equality is meant at equal shapes, dtype, device and attention implementation.",
        "",
        f"Digest of the certificate: `{certificate['digest']}`",
    ]
    return "\n".join(lines) + "\n"
