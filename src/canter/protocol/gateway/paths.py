"""Where the application is mounted and what is below, from what web servers call by many names.

SCRIPT_NAME and PATH_INFO mean what PEP 3333 says in some servers' variables, and something else in
others':

- nginx's uwsgi_params: PATH_INFO is the whole path, DOCUMENT_URI too; SCRIPT_NAME only if an
  administrator adds it, and then it is still in front of PATH_INFO.
- nginx's fastcgi_params: SCRIPT_NAME is the whole path, and there is no PATH_INFO; scgi_params:
  neither, only DOCUMENT_URI.
- Apache's mod_proxy_fcgi: SCRIPT_NAME is the whole path; with proxy-fcgi-pathinfo set, and in
  mod_proxy_uwsgi and mod_proxy_scgi, both are split as CGI wants it. lighttpd does this too.

REQUEST_URI, the target as the client sent it, decides between readings where there is it.
All paths but that of REQUEST_URI have their percent-encoding taken off already.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from canter.protocol.faults import BadTarget, quoted
from canter.protocol.target import decode_path, resolve_target

# What a path may hold as it is (RFC 3986 section 3.3).
_SAFE = "/!$&'()*+,;=:@-._~"


def settle_path(environ: dict[str, Any], told: dict[str, str], default_mount: str) -> None:
    """Set SCRIPT_NAME, PATH_INFO, QUERY_STRING and REQUEST_URI as PEP 3333 wants them.

    default_mount: where the application is if the web server does not say. Raises BadTarget.
    """
    asked, query = _asked(told)
    mount, path = _split(told, asked, (told.get("SCRIPT_NAME") or default_mount).rstrip("/"))
    if path and not path.startswith("/") and path != "*":
        raise BadTarget(f"a path that does not begin with /: {quoted(path)}")
    environ["SCRIPT_NAME"] = mount
    environ["PATH_INFO"] = path
    if "QUERY_STRING" not in told:
        environ["QUERY_STRING"] = query
    if not told.get("REQUEST_URI"):
        question = "?" + environ["QUERY_STRING"] if environ["QUERY_STRING"] else ""
        whole = (mount + path).encode("latin-1")
        environ["REQUEST_URI"] = (quote(whole, safe=_SAFE) or "/") + question


def _asked(told: dict[str, str]) -> tuple[str | None, str]:
    """The path, decoded, and the query of REQUEST_URI; None where there is none."""
    uri = told.get("REQUEST_URI", "")
    if not uri:
        return None, ""
    target = resolve_target(told.get("REQUEST_METHOD", ""), uri)
    return decode_path(target.path), target.query


def _split(told: dict[str, str], asked: str | None, script: str) -> tuple[str, str]:
    """SCRIPT_NAME and PATH_INFO, where `script` is what may be the mount point."""
    info = told.get("PATH_INFO")
    if info is None:
        whole = told.get("DOCUMENT_URI") or asked
        if whole is None:
            return "", told.get("SCRIPT_NAME", "")
        own = told.get("SCRIPT_NAME", "")
        if "DOCUMENT_URI" not in told and own and not is_below(whole, own):
            # The web server's own view of the path, where it has rewritten it.
            return "", own
        return split_at(whole, script) if whole.rstrip("/") != script else ("", whole)
    whole = told.get("DOCUMENT_URI") or asked
    if script and whole == info and is_below(info, script):
        return split_at(info, script)
    return script, info


def is_below(path: str, script: str) -> bool:
    """Whether `path` is the mount point `script` or below it."""
    return path == script or path.startswith(script + "/")


def split_at(path: str, script: str) -> tuple[str, str]:
    """Take the mount point off the front of `path`, if it stands there."""
    if script and is_below(path, script):
        return script, path[len(script) :]
    return "", path
