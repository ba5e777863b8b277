"""A Bottle application: forms, uploads, streams, files, cookies, redirects and errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import bottle
from bottle import request, response

from tests.live.apps import surface

application = bottle.Bottle()


@application.get("/hello")
@application.get("/hello/<name>")
def hello(name: str | None = None) -> str:
    response.content_type = "text/plain; charset=utf-8"
    return f"hello, {name or request.query.getunicode('name') or 'world'}"


@application.get("/json")
def show_json() -> dict[str, str]:
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query_string,
        "host": request.get_header("Host"),
        "scheme": request.urlparts.scheme,
    }


@application.post("/form")
def form() -> str:
    response.content_type = "text/plain; charset=utf-8"
    return f"hello, {request.forms.getunicode('name')}"


@application.post("/upload")
def upload() -> dict[str, Any]:
    sent = request.files.get("file")
    data = sent.file.read()
    return {"name": sent.raw_filename, "size": len(data), "digest": surface.digest(data)}


@application.post("/raw")
def raw() -> dict[str, Any]:
    data = request.body.read()
    return {
        "size": len(data),
        "digest": surface.digest(data),
        "length": request.content_length,
    }


@application.get("/stream")
def stream() -> Iterator[bytes]:
    response.content_type = "text/plain"
    gate = request.query.get("gate")
    return surface.gated(gate) if gate else surface.lines(int(request.query["lines"]))


@application.get("/file")
def file() -> Any:
    path = surface.download_path()
    return bottle.static_file(path.name, root=str(path.parent))


@application.get("/cookie/set")
def set_cookies() -> str:
    response.set_cookie("first", "one")
    response.set_cookie("second", "two")
    return "set"


@application.get("/cookie/read")
def read_cookies() -> str:
    response.content_type = "application/json"
    return json.dumps(dict(request.cookies))


@application.get("/redirect")
def away() -> None:
    bottle.redirect("/hello?name=again", 302)


@application.get("/forbidden")
def forbidden() -> None:
    bottle.abort(403, "no")


@application.get("/error")
def error() -> None:
    raise RuntimeError("the Bottle view broke")
