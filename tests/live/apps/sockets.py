"""An application that takes connections over: with Flask-Sock, and by hand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask_sock import Server, Sock  # type: ignore[import-untyped]

from tests.live.apps.plain import LONGEST_WAIT_SECONDS

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

GREETING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n"

flask_app = Flask(__name__)
sock = Sock(flask_app)


@sock.route("/echo")
def echo(ws: Server) -> None:
    while True:
        ws.send(ws.receive())


@sock.route("/once")
def once(ws: Server) -> None:
    ws.send(ws.receive())


def echo_bytes(client: Any) -> None:
    """Send back what comes, until the client ends its side or says so."""
    with client:
        while data := client.recv(65536):
            client.sendall(data)
            if data.endswith(b"bye"):
                return


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/sleep":
        time.sleep(LONGEST_WAIT_SECONDS)
    if not path.startswith("/raw"):
        return flask_app(environ, start_response)
    client: Any = environ.get("gunicorn.socket")
    if path == "/raw/look":
        seen = None if client is None else [client.getpeername()[1], repr(client)]
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(seen).encode()]
    client.sendall(GREETING)
    if path == "/raw/fails":
        raise LookupError("after the greeting")
    if path == "/raw/kept":
        threading.Thread(target=echo_bytes, args=[client.dup()]).start()
    else:
        while data := client.recv(65536):
            client.sendall(data)
            if data.endswith(b"bye"):
                break
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"This goes nowhere."]
