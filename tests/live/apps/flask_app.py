"""A Flask application: forms, uploads, streams, files, cookies, redirects and errors."""

from __future__ import annotations

from flask import Flask, Response, abort, jsonify, redirect, request, send_file
from werkzeug.wrappers import Response as BaseResponse

from tests.live.apps import surface

app = Flask(__name__)


@app.get("/hello")
@app.get("/hello/<name>")
def hello(name: str | None = None) -> Response:
    return Response(f"hello, {name or request.args.get('name', 'world')}", mimetype="text/plain")


@app.get("/json")
def show_json() -> Response:
    return jsonify(
        method=request.method,
        path=request.path,
        query=request.query_string.decode("latin-1"),
        host=request.host,
        scheme=request.scheme,
    )


@app.post("/form")
def form() -> Response:
    return Response(f"hello, {request.form['name']}", mimetype="text/plain")


@app.post("/upload")
def upload() -> Response:
    sent = request.files["file"]
    data = sent.read()
    return jsonify(name=sent.filename, size=len(data), digest=surface.digest(data))


@app.post("/raw")
def raw() -> Response:
    data = request.get_data()
    return jsonify(size=len(data), digest=surface.digest(data), length=request.content_length)


@app.get("/stream")
def stream() -> Response:
    gate = request.args.get("gate")
    parts = surface.gated(gate) if gate else surface.lines(int(request.args["lines"]))
    return Response(parts, mimetype="text/plain")


@app.get("/file")
def file() -> Response:
    return send_file(surface.download_path(), download_name="download.bin")


@app.get("/cookie/set")
def set_cookies() -> Response:
    response = Response("set", mimetype="text/plain")
    response.set_cookie("first", "one")
    response.set_cookie("second", "two")
    return response


@app.get("/cookie/read")
def read_cookies() -> Response:
    return jsonify(dict(request.cookies))


@app.get("/redirect")
def away() -> BaseResponse:
    return redirect("/hello?name=again")


@app.get("/forbidden")
def forbidden() -> Response:
    abort(403)


@app.get("/error")
def error() -> Response:
    raise RuntimeError("the Flask view broke")
