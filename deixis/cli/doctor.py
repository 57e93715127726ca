"""``deixis doctor``: is everything here that a run needs, and what to do if not."""

from __future__ import annotations

import typer

from deixis.cli.output import print_json

app = typer.Typer(help="Check this installation, and say how to mend it.")


@app.command()
def doctor(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """Check Python, packages, codecs, weights and folders; exit code 1 if something fails."""
    from deixis.cli.checks import CHECKS, Finding

    findings: list[Finding] = []
    for check in CHECKS:
        for finding in check():
            findings.append(finding)
            if not as_json:
                cure = f"\n     {'':16}  {finding.cure}" if finding.cure and finding.state != "ok" else ""
                print(f"{finding.state:4} {finding.name:16}  {finding.text}{cure}", flush=True)
    failed = sum(finding.state == "fail" for finding in findings)
    warned = sum(finding.state == "warn" for finding in findings)
    if as_json:
        print_json({"failed": failed, "warned": warned, "findings": [vars(one) for one in findings]})
    else:
        print(f"{failed} failed, {warned} to look at, {len(findings) - failed - warned} ok")
    if failed:
        raise typer.Exit(1)
