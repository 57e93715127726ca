"""``deixis mcp``: deixis for MCP clients, over standard input and output or over HTTP."""

from __future__ import annotations

from pathlib import Path

import typer

from deixis.errors import InputFault, MissingExtra

app = typer.Typer(help="Offer ask, tag, ground, segment, hear and match to MCP clients.")


@app.command()
def mcp(
    profile: str = typer.Option(
        "auto", "--profile", "-p", help="auto, light, pocket, sketch, remote, or a .toml file."
    ),
    tool: list[str] = typer.Option([], "--tool", help="ROLE=NAME, e.g. detection=detection/yolox-nano."),
    root: list[str] = typer.Option(
        [], "--root", help="Folder whose files may be read [the current one]. Repeatable."
    ),
    http: bool = typer.Option(
        False, "--http", help="Streamable HTTP on loopback instead of standard input and output."
    ),
    port: int = typer.Option(8461, "--port", min=1, max=65535, help="With --http."),
    timeout: float = typer.Option(60.0, "--timeout", min=0.01, help="Seconds for one tool call."),
    allow_network: bool = typer.Option(False, "--allow-network", help="Let media be fetched by address."),
    home: str = typer.Option("", "--home", help="Folder of the store [DEIXIS_HOME]."),
) -> None:
    """Offer ask, tag, ground, segment, hear and match to MCP clients.

    Over standard input and output files of the current folder may be read; over HTTP, which listens on this
    machine alone, none, unless --root names folders.
    """
    try:
        from deixis.agent.mcp.server import mcp_server
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("deixis"):
            raise
        raise MissingExtra("mcp", str(error.name), "Speaking MCP") from error
    from deixis.agent.agent import Agent
    from deixis.agent.mcp.sources import Sources
    from deixis.cli.ask import chosen_tools

    folders = [Path(one) for one in root] or ([] if http else [Path.cwd()])
    for folder in folders:
        if not folder.is_dir():
            raise InputFault("mcp.root.missing", f"{folder} is no folder.", "Check --root.")
    agent = Agent(
        profile,
        home=home or None,
        tools=chosen_tools(tool),
        tool_timeout_s=timeout,
        allow_network=allow_network,
    )
    server = mcp_server(agent, Sources(folders), timeout)
    if http:
        server.run("streamable-http", host="127.0.0.1", port=port)
    else:
        server.run("stdio")
