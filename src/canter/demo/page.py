"""The demonstration's pages: one self-contained document each, light and dark, wide and narrow.

Everything of the request is escaped, and the Content-Security-Policy allows neither scripts nor
anything from elsewhere.
"""

from __future__ import annotations

import os
import threading
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING

from canter.demo.upload import Received

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'"
)

_STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f6f5f1; --card: #ffffff; --ink: #23211d; --soft: #6d685e; --line: #e2ded4;
  --accent: #9a4a1c; --wash: #f4e9df;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #171613; --card: #201f1b; --ink: #ece8df; --soft: #a19b8e; --line: #37342d;
    --accent: #f0a26b; --wash: #2d2620;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 62rem; margin: 0 auto; padding: clamp(1.25rem, 4vw, 3.5rem) 1.25rem 4rem; }
header { display: flex; align-items: center; gap: 1rem; margin-bottom: 2rem; }
header svg { width: 3.25rem; height: 3.25rem; flex: none; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.1; letter-spacing: -0.02em; }
h1 a { color: inherit; text-decoration: none; }
header p { margin: 0.25rem 0 0; color: var(--soft); }
h2 { margin: 2.5rem 0 0.75rem; font-size: 1.05rem; }
a { color: var(--accent); }
a:focus-visible, button:focus-visible, input:focus-visible {
  outline: 3px solid var(--accent); outline-offset: 2px;
}
.facts, .paths { display: grid; gap: 0.75rem; margin: 0; padding: 0; list-style: none; }
.facts { grid-template-columns: repeat(auto-fit, minmax(min(9.5rem, 100%), 1fr)); }
.paths { grid-template-columns: repeat(auto-fit, minmax(min(15.5rem, 100%), 1fr)); }
.facts > div, .paths a, .panel {
  background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem;
  padding: 0.9rem 1.1rem;
}
.facts dt { color: var(--soft); font-size: 0.85rem; }
.facts dd { margin: 0.1rem 0 0; font-size: 1.2rem; font-weight: 600; overflow-wrap: anywhere; }
.dot {
  display: inline-block; width: 0.7em; height: 0.7em; border-radius: 50%; margin-right: 0.4em;
}
.paths a { display: block; height: 100%; color: inherit; text-decoration: none; }
.paths a:hover { border-color: var(--accent); background: var(--wash); }
.paths code { color: var(--accent); font-weight: 600; }
.paths span { display: block; margin-top: 0.2rem; color: var(--soft); font-size: 0.92rem; }
code, td, th { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.table { overflow-x: auto; padding: 0; }
table { width: 100%; border-collapse: collapse; font-size: 0.85rem; }
th, td { padding: 0.42rem 1.1rem; text-align: left; vertical-align: top; }
th { font-weight: 600; white-space: nowrap; width: 1%; }
td { overflow-wrap: anywhere; min-width: 14rem; }
tr + tr > * { border-top: 1px solid var(--line); }
@media (max-width: 40rem) {
  th, td { display: block; width: auto; min-width: 0; }
  tr + tr > th { border-top: 1px solid var(--line); }
  tr > td { border: 0; padding-top: 0; }
}
form { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
input { font: inherit; color: inherit; max-width: 100%; }
button {
  font: inherit; font-weight: 600; padding: 0.45rem 1.1rem; border-radius: 0.5rem; cursor: pointer;
  border: 1px solid var(--accent); background: var(--accent); color: var(--card);
}
footer { margin-top: 3rem; color: var(--soft); font-size: 0.88rem; }
"""

# A horse's hoofprints, three beats and a pause: the gait that the server is named after.
_MARK = (
    '<svg viewBox="0 0 64 64" role="img" aria-label="canter">'
    '<rect width="64" height="64" rx="14" fill="#9a4a1c"/>'
    '<g fill="none" stroke="#fff" stroke-width="4.5" stroke-linecap="round">'
    '<path d="M12 45v-5a6.5 6.5 0 0 1 13 0v5"/><path d="M25.5 28v-5a6.5 6.5 0 0 1 13 0v5"/>'
    '<path d="M39 45v-5a6.5 6.5 0 0 1 13 0v5"/></g></svg>'
)
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 64 64'%3E"
    "%3Crect width='64' height='64' rx='14' fill='%239a4a1c'/%3E%3C/svg%3E"
)

_PATHS = (
    ("/slow?seconds=2", "Holds its thread for two seconds; others go on."),
    ("/stream", "A line every 0.2 seconds, sent as it is made."),
    ("/upload", "A form for files of any size."),
    ("/download?size=100M", "100 MiB from a generator."),
    ("/download?size=100M&file=1", "100 MiB from a file, by wsgi.file_wrapper."),
    ("/headers", "The request's header fields as plain text."),
    ("/error", "The application raises: a 500, and the server goes on."),
    ("/nowhere", "A path that does not exist: a 404."),
)


def place() -> str:
    """Which worker and thread runs this, in words."""
    return f"worker {os.getpid()}, thread {threading.current_thread().name}"


def home(environ: WSGIEnvironment) -> str:
    """The front page: who served it, what there is to try, and the environ."""
    root = _root(environ)
    paths = "".join(
        f'<li><a href="{escape(root + path)}"><code>{escape(path)}</code>'
        f"<span>{escape(what)}</span></a></li>"
        for path, what in _PATHS
    )
    return _document(
        environ,
        "canter is serving",
        f"{_facts(environ)}<h2>Try</h2><ul class=paths>{paths}</ul>"
        f"<h2>The request, as the application saw it</h2>{_table(_rows(environ))}",
    )


def upload_form(environ: WSGIEnvironment) -> str:
    """The form, which posts to itself."""
    action = escape(_root(environ) + "/upload")
    return _document(
        environ,
        "Upload a file",
        "<h2>Upload</h2><div class=panel>"
        f'<form method=post enctype="multipart/form-data" action="{action}">'
        "<input type=file name=file multiple required aria-label=Files>"
        "<button>Send</button></form>"
        "<p>The answer says how large each file was and what its SHA-256 is. The same from a"
        f" shell: <code>curl --data-binary @FILE {escape(_url(environ))}/upload</code></p></div>",
    )


def uploaded(environ: WSGIEnvironment, received: list[Received], seconds: float) -> str:
    """What arrived."""
    rows = [(part.name, f"{part.size_bytes:,} bytes, SHA-256 {part.sha256}") for part in received]
    return _document(
        environ,
        "Uploaded",
        f"<h2>Read in {seconds:.3f} s by {escape(place())}</h2>{_table(rows)}"
        f'<p><a href="{escape(_root(environ))}/upload">Another one</a></p>',
    )


def error(environ: WSGIEnvironment, status: HTTPStatus, why: str) -> str:
    """An error page; it says what was wrong and where to go."""
    return _document(
        environ,
        f"{status.value} {status.phrase}",
        f"<h2>{status.value} {escape(status.phrase)}</h2><div class=panel>{escape(why)}."
        f' <a href="{escape(_root(environ))}/">To the front page</a></div>',
    )


def _document(environ: WSGIEnvironment, title: str, body: str) -> str:
    software = escape(str(environ.get("SERVER_SOFTWARE", "an unnamed server")))
    return (
        '<!doctype html><html lang=en><meta charset="utf-8">'
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel=icon href="{_ICON}"><style>{_STYLE}</style>'
        f'<body><main><header>{_MARK}<div><h1><a href="{escape(_root(environ))}/">canter</a></h1>'
        "<p>The bundled demonstration: plain WSGI, without dependencies.</p></div></header>"
        f"{body}<footer>Served by {software}. This page shows what it is sent; it is not for the"
        " open network.</footer></main></body></html>\n"
    )


def _facts(environ: WSGIEnvironment) -> str:
    pid = os.getpid()
    # A colour for each worker, so that reloading shows at a glance who answers.
    dot = f'<span class=dot style="background:hsl({pid * 47 % 360} 65% 50%)"></span>'
    facts = (
        ("Worker process", f"{dot}{pid}"),
        ("Thread", escape(threading.current_thread().name)),
        ("Protocol", escape(str(environ.get("SERVER_PROTOCOL", "")))),
        ("Client", escape(_client(environ))),
    )
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    return f"<dl class=facts>{items}</dl>"


def _rows(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    """The environ without what a server copied into it from the process's own environment."""
    return [
        (name, value if isinstance(value, str) else repr(value))
        for name, value in sorted(environ.items())
        if os.environ.get(name) != value
    ]


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in rows
    )
    return f'<div class="panel table"><table>{cells}</table></div>'


def _client(environ: WSGIEnvironment) -> str:
    address = environ.get("REMOTE_ADDR", "")
    if not address:
        return "a unix socket"
    port = environ.get("REMOTE_PORT", "")
    return f"{address}:{port}" if port else str(address)


def _root(environ: WSGIEnvironment) -> str:
    return str(environ.get("SCRIPT_NAME", "")).rstrip("/")


def _url(environ: WSGIEnvironment) -> str:
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return f"{environ['wsgi.url_scheme']}://{host}{_root(environ)}"
