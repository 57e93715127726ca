"""``deixis tools serve``: the tools of a profile over HTTP."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from deixis.errors import InputFault, MissingExtra


def serve(
    profile: str = typer.Option(
        "auto", "--profile", "-p", help="auto, light, pocket, sketch, or a .toml file."
    ),
    host: str = typer.Option(
        "127.0.0.1", "--host", help="Address to listen on; others than loopback need a token."
    ),
    port: int = typer.Option(8460, "--port", min=0, max=65535, help="0 takes a free one."),
    role: list[str] = typer.Option([], "--role", help="Serve only this role. Repeatable."),
    tool: list[str] = typer.Option([], "--tool", help="ROLE=NAME, e.g. detection=detection/yolox-nano."),
    token_file: str = typer.Option(
        "", "--token-file", help="File with the bearer token [DEIXIS_TOOLS_TOKEN]."
    ),
    media: str = typer.Option("", "--media", help="Folder for clients' media [DEIXIS_HOME/served]."),
    media_gb: float = typer.Option(
        4.0, "--media-gb", min=0.001, help="Most media kept; the oldest go first."
    ),
    window_ms: float = typer.Option(4.0, "--window-ms", min=0, help="How long a request waits for company."),
    max_batch: int = typer.Option(32, "--max-batch", min=1, help="Most requests in one call of a tool."),
    max_queue: int = typer.Option(
        256, "--max-queue", min=1, help="Most requests waiting for a tool; then 429."
    ),
    timeout: float = typer.Option(60.0, "--timeout", min=0.01, help="Seconds for one request."),
    drain: float = typer.Option(60.0, "--drain", min=1, help="Seconds for what is under way at SIGTERM."),
    allow_network: bool = typer.Option(
        False, "--allow-network", help="Let media be fetched from public addresses."
    ),
) -> None:
    """Serve the tools of a profile: a POST per role, requests that come together in one call.

    One process per GPU. The other end is the profile `remote`, with DEIXIS_TOOLS_URL set to the address
    that is printed. SIGTERM lets what is under way end, and takes nothing new.
    """
    try:
        from deixis.tools.serving import server
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("deixis"):
            raise
        raise MissingExtra("serve", str(error.name), "Serving tools") from error
    from pydantic import SecretStr

    from deixis.agent.profile import load_profile
    from deixis.cli.ask import chosen_tools
    from deixis.store.store import default_root
    from deixis.tools.serving.settings import MB, Batching, ServeSettings

    token = _token(token_file)
    settings = ServeSettings(
        token=SecretStr(token) if token else None,
        batching=Batching(
            window_s=window_ms / 1000, max_batch=max_batch, max_queue=max_queue, timeout_s=timeout
        ),
        max_media_bytes=round(1000 * MB * media_gb),
        drain_s=drain,
        allow_network=allow_network,
    )
    chosen = load_profile(profile)
    box = chosen.toolbox(chosen_tools(tool))
    if role:
        box = box.only(role)
    if not box.roles():
        raise InputFault(
            "serve.roles.none", "There is no tool to serve.", "Name others with --role or --profile."
        )
    root = Path(media) if media else default_root() / "served"
    served = ", ".join(f"{one} ({box.name(one)})" for one in box.roles())

    def tell(url: str) -> None:
        guarded = "with a token" if token else "without a token, for this machine alone"
        print(f"deixis tools: {url}, {guarded}; profile {chosen.name}: {served}", file=sys.stderr, flush=True)

    server.serve(box, root, settings, host, port, tell)


def _token(file: str) -> str:
    """Returns the token of a file or of the environment; empty where there is none."""
    if not file:
        return os.environ.get("DEIXIS_TOOLS_TOKEN", "").strip()
    try:
        token = Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise InputFault(
            "serve.token.file", f"{file} cannot be read ({error}).", "Check --token-file."
        ) from error
    if not token:
        raise InputFault("serve.token.file", f"{file} is empty.", "Write the token into it.")
    return token
