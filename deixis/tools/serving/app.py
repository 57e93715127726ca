"""The routes of a tool server: a POST per role, media by digest, health, readiness, metrics."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from deixis import __version__
from deixis.errors import DeixisError, InputFault
from deixis.geometry import Frozen
from deixis.tools.protocol import ROLES, Role
from deixis.tools.roles import forms
from deixis.tools.serving import faults
from deixis.tools.serving.guard import App, Gone, Guard, Receive, Scope, Send, blocks_of, defect, whole_body
from deixis.tools.serving.metrics import CONTENT_TYPE, Metrics
from deixis.tools.serving.service import Service
from deixis.tools.serving.settings import ServeSettings
from deixis.tools.toolbox import Toolbox

Endpoint = Callable[[Request], Awaitable[Response]]


def serving_app(toolbox: Toolbox, root: Path, settings: ServeSettings) -> tuple[App, Service]:
    """Returns the ASGI application over a toolbox, and the service behind it.

    Args:
        toolbox: its tools are made when the application starts.
        root: folder of the media; nothing is written anywhere else.
    """
    metrics = Metrics()
    service = Service(toolbox, root, settings, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> Any:
        service.start()
        yield
        await service.stop()

    app = FastAPI(
        title="deixis tools",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # its page would load scripts from elsewhere; /openapi.json is what matters
        redoc_url=None,
    )
    _add_watching(app, service, metrics)
    _add_media(app, service, settings)
    calls = {f"/tools/{role}": _add_role(app, service, settings, role) for role in toolbox.roles()}
    _add_faults(app)
    return Guard(_direct(calls, cast(App, app)), settings, metrics, lambda: service.draining), service


def _direct(calls: Mapping[str, Endpoint], app: App) -> App:
    """Returns the application with the calls of tools led past its routing.

    Of a small tool's time, the framework's search for the route, its dependencies and its exception handlers
    are half; the guard around both turns errors into replies in the same form. The routes stay in the
    framework, which describes them in /openapi.json and answers all other methods.
    """

    async def led(scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = calls.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if endpoint is None:
            await app(scope, receive, send)
        else:
            reply = await endpoint(Request(scope, receive))
            await reply(scope, receive, send)

    return led


def _add_watching(app: FastAPI, service: Service, metrics: Metrics) -> None:
    @app.get("/health")
    async def health(request: Request) -> Response:
        """Tells whether the process works; where not, it is to be started again."""
        request.scope["route_label"] = "health"
        stuck = service.stuck()
        return _json({"alive": not stuck, "stuck": stuck}, 503 if stuck else 200)

    @app.get("/ready")
    async def ready(request: Request) -> Response:
        """Tells whether requests are welcome now: tools loaded, not stopping."""
        request.scope["route_label"] = "ready"
        state = service.state()
        return _json(state, 200 if state["ready"] else 503)

    @app.get("/metrics")
    async def counted(request: Request) -> Response:
        """Gives the counters in Prometheus' text form."""
        request.scope["route_label"] = "metrics"
        service.measure()
        return Response(metrics.page(), media_type=CONTENT_TYPE)

    @app.get("/tools")
    async def tools(request: Request) -> Response:
        """Lists the tools: role, name, version, digest of the weights, error where one did not load."""
        request.scope["route_label"] = "tools"
        return _json({"tools": service.facts(), "deixis": __version__})


def _add_media(app: FastAPI, service: Service, settings: ServeSettings) -> None:
    @app.head("/media/{digest}", include_in_schema=False)
    @app.get("/media/{digest}")
    async def media_facts(request: Request, digest: str) -> Response:
        """Gives the facts of a medium that is here; 404 where it is not."""
        request.scope["route_label"] = "media"
        return _model(await service.shelf.facts(digest))

    @app.put("/media/{digest}")
    async def media_put(request: Request, digest: str) -> Response:
        """Takes a medium in, under the sha256 of its bytes, and gives its facts."""
        request.scope["route_label"] = "media"
        blocks = service.counted(blocks_of(request.receive))
        return _model(await service.shelf.receive(digest, blocks), 201)

    @app.post("/media")
    async def media_fetch(request: Request) -> Response:
        """Fetches a medium from a public address, where the server allows it: ``{"url": "https://…"}``."""
        request.scope["route_label"] = "media"
        body = await _body(request, settings)
        try:
            given = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise _invalid("it is no JSON", "") from error
        if not isinstance(given, dict) or set(given) != {"url"} or not isinstance(given["url"], str):
            raise _invalid("it is not of the form {'url': '…'}", "")
        if not given["url"].lower().startswith(("http://", "https://")):
            raise _invalid("it names no http(s) address", "url")  # a path is never opened
        return _model(await service.shelf.fetch(given["url"]), 201)


def _add_role(app: FastAPI, service: Service, settings: ServeSettings, role: Role) -> Endpoint:
    taken, given = forms(role)
    described: dict[str, Any] = {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": taken.model_json_schema()}},
        }
    }

    @app.post(
        f"/tools/{role}", response_model=None, responses={200: {"model": given}}, openapi_extra=described
    )
    async def call(request: Request) -> Response:
        """Calls the tool of this role with one request; requests that come together share a call."""
        request.scope["route_label"] = role
        asked = await service.shelf.bound(_read(taken, await _body(request, settings)))
        batcher = service.batcher(role)
        output = await batcher.submit(asked)
        return _model(output, headers=service.headers(batcher.tool))

    return call


async def _body(request: Request, settings: ServeSettings) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise InputFault(
            "serve.type.wrong", f"The body is {kind or 'of no type'}.", "Send Content-Type: application/json."
        )
    return await whole_body(request.receive, settings.max_body_bytes, settings.body_s)


def _read(form: type[Frozen], body: bytes) -> Frozen:
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise _invalid(first["msg"], ".".join(str(part) for part in first["loc"])) from error
    except (RecursionError, ValueError) as error:
        raise _invalid("it cannot be read", "") from error


def _invalid(what: str, where: str) -> InputFault:
    at = f" at {where[:200]}" if where else ""
    return InputFault(
        "serve.request.invalid",
        f"The request is not valid: {what[:300]}{at}.",
        "GET /openapi.json has the schema of every role.",
    )


def _model(model: Frozen, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(model.model_dump_json().encode(), status, headers, "application/json")


def _json(data: Any, status: int = 200) -> Response:
    return Response(json.dumps(data), status, media_type="application/json")


def _reply(error: DeixisError) -> Response:
    status = faults.status_of(error)
    reply = Response(faults.body_of(error), status)
    reply.raw_headers.extend(faults.headers_of(error, status))
    return reply


def _add_faults(app: FastAPI) -> None:
    @app.exception_handler(DeixisError)
    async def known(_: Request, error: DeixisError) -> Response:
        return _reply(error)

    @app.exception_handler(HTTPException)
    async def routing(request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:
            found = InputFault(
                "serve.method.wrong", f"{request.method} is not for this path.", "See /openapi.json."
            )
        else:
            parts = request.url.path.strip("/").split("/")
            role = parts[1] if len(parts) == 2 and parts[0] == "tools" else ""
            found = _no_role(role) if role else _no_path()
        return _reply(found)

    @app.exception_handler(Gone)
    async def gone(_: Request, error: Gone) -> Response:
        return Response(status_code=499)  # nobody reads it

    @app.exception_handler(Exception)
    async def unknown(_: Request, error: Exception) -> Response:
        return _reply(defect())


def _no_path() -> InputFault:
    return InputFault("serve.path.unknown", "There is nothing under this path.", "See /openapi.json.")


def _no_role(role: str) -> InputFault:
    if role in ROLES:
        return InputFault(
            "tools.role.empty", f"This server has no tool for {role}.", "Choose another tool for this role."
        )
    return InputFault("serve.role.unknown", "There is no such role.", f"Roles are {', '.join(ROLES)}.")
