"""A Pyramid application: forms, uploads, streams, files, cookies, redirects and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPForbidden, HTTPFound
from pyramid.response import FileResponse, Response

from tests.live.apps import surface


def hello(request: Any) -> Any:
    name = request.matchdict.get("name") or request.params.get("name", "world")
    return Response(f"hello, {name}", content_type="text/plain", charset="utf-8")


def show_json(request: Any) -> dict[str, str]:
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query_string,
        "host": request.host,
        "scheme": request.scheme,
    }


def form(request: Any) -> Any:
    return Response(f"hello, {request.POST['name']}", content_type="text/plain", charset="utf-8")


def upload(request: Any) -> dict[str, Any]:
    sent = request.POST["file"]
    data = sent.file.read()
    return {"name": sent.filename, "size": len(data), "digest": surface.digest(data)}


def raw(request: Any) -> dict[str, Any]:
    return {
        "size": len(request.body),
        "digest": surface.digest(request.body),
        "length": request.content_length,
    }


def stream(request: Any) -> Any:
    gate = request.params.get("gate")
    parts = surface.gated(gate) if gate else surface.lines(int(request.params["lines"]))
    return Response(app_iter=parts, content_type="text/plain")


def file(request: Any) -> Any:
    return FileResponse(surface.download_path(), request=request)


def set_cookies(_request: Any) -> Any:
    response = Response("set", content_type="text/plain", charset="utf-8")
    response.set_cookie("first", "one")
    response.set_cookie("second", "two")
    return response


def read_cookies(request: Any) -> dict[str, str]:
    return dict(request.cookies)


def away(_request: Any) -> Any:
    raise HTTPFound("/hello?name=again")


def forbidden(_request: Any) -> Any:
    raise HTTPForbidden


def error(_request: Any) -> Any:
    raise RuntimeError("the Pyramid view broke")


def make_app() -> Any:
    config = Configurator()

    def add(name: str, path: str, view: Callable[[Any], Any], **options: Any) -> None:
        config.add_route(name, path)
        config.add_view(view, route_name=name, **options)

    add("hello", "/hello", hello)
    add("hello_name", "/hello/{name}", hello)
    add("json", "/json", show_json, renderer="json")
    add("form", "/form", form, request_method="POST")
    add("upload", "/upload", upload, request_method="POST", renderer="json")
    add("raw", "/raw", raw, request_method="POST", renderer="json")
    add("stream", "/stream", stream)
    add("file", "/file", file)
    add("set_cookies", "/cookie/set", set_cookies)
    add("read_cookies", "/cookie/read", read_cookies, renderer="json")
    add("redirect", "/redirect", away)
    add("forbidden", "/forbidden", forbidden)
    add("error", "/error", error)
    return config.make_wsgi_app()
