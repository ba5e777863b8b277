"""A Falcon application: media, streams, files, cookies, redirects and errors."""

from __future__ import annotations

from urllib.parse import parse_qs

import falcon

from tests.live.apps import surface


class Hello:
    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str | None = None) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = f"hello, {name or req.get_param('name') or 'world'}"

    on_head = on_get


class ShowJson:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {
            "method": req.method,
            "path": req.path,
            "query": req.query_string,
            "host": req.netloc,
            "scheme": req.scheme,
        }


class Form:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        fields = parse_qs(req.bounded_stream.read().decode())
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = f"hello, {fields['name'][0]}"


class Upload:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        for part in req.get_media():
            if part.name == "file":
                data = part.stream.read()
                resp.media = {
                    "name": part.filename,
                    "size": len(data),
                    "digest": surface.digest(data),
                }


class Raw:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        # bounded_stream trusts CONTENT_LENGTH, so a chunked body is seen only where the server
        # has counted it.
        data = req.bounded_stream.read()
        resp.media = {
            "size": len(data),
            "digest": surface.digest(data),
            "length": req.content_length,
        }


class Stream:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        gate = req.get_param("gate")
        if gate:
            resp.stream = surface.gated(gate)
        else:
            resp.stream = surface.lines(req.get_param_as_int("lines", required=True))


class File:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        path = surface.download_path()
        # A readable stream makes Falcon use wsgi.file_wrapper.
        resp.set_stream(path.open("rb"), path.stat().st_size)
        resp.content_type = "application/octet-stream"


class Cookies:
    def on_get_set(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.set_cookie("first", "one", secure=False)
        resp.set_cookie("second", "two", secure=False)
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "set"

    def on_get_read(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = dict(req.cookies)


class Redirect:
    def on_get(self, _req: falcon.Request, _resp: falcon.Response) -> None:
        raise falcon.HTTPFound("/hello?name=again")


class Forbidden:
    def on_get(self, _req: falcon.Request, _resp: falcon.Response) -> None:
        raise falcon.HTTPForbidden


class Error:
    def on_get(self, _req: falcon.Request, _resp: falcon.Response) -> None:
        raise RuntimeError("the Falcon view broke")


def make_app() -> falcon.App:
    app = falcon.App()
    cookies = Cookies()
    app.add_route("/hello", Hello())
    app.add_route("/hello/{name}", Hello())
    app.add_route("/json", ShowJson())
    app.add_route("/form", Form())
    app.add_route("/upload", Upload())
    app.add_route("/raw", Raw())
    app.add_route("/stream", Stream())
    app.add_route("/file", File())
    app.add_route("/cookie/set", cookies, suffix="set")
    app.add_route("/cookie/read", cookies, suffix="read")
    app.add_route("/redirect", Redirect())
    app.add_route("/forbidden", Forbidden())
    app.add_route("/error", Error())
    return app
