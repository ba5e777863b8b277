"""Where the application is and what is below it, from the variables of each web server."""

from __future__ import annotations

import pytest

from canter.protocol.faults import BadTarget
from canter.protocol.gateway.paths import settle_path

CASES: dict[str, tuple[dict[str, str], tuple[str, str]]] = {
    "uwsgi_params of nginx": (
        {"REQUEST_URI": "/a%20b?x", "PATH_INFO": "/a b", "DOCUMENT_URI": "/a b"},
        ("", "/a b"),
    ),
    "uwsgi_params of nginx with a mount point": (
        {"REQUEST_URI": "/app/x", "PATH_INFO": "/app/x", "SCRIPT_NAME": "/app"},
        ("/app", "/x"),
    ),
    "a mount point that nginx has rewritten the path below": (
        {
            "REQUEST_URI": "/old/x",
            "PATH_INFO": "/app/x",
            "DOCUMENT_URI": "/app/x",
            "SCRIPT_NAME": "/app",
        },
        ("/app", "/x"),
    ),
    "fastcgi_params of nginx": (
        {"REQUEST_URI": "/x/y", "SCRIPT_NAME": "/x/y", "DOCUMENT_URI": "/x/y"},
        ("", "/x/y"),
    ),
    "fastcgi_params of nginx with a mount point": (
        {"REQUEST_URI": "/app/y", "SCRIPT_NAME": "/app", "DOCUMENT_URI": "/app/y"},
        ("/app", "/y"),
    ),
    "fastcgi_params of nginx at the root": (
        {"REQUEST_URI": "/", "SCRIPT_NAME": "/", "DOCUMENT_URI": "/"},
        ("", "/"),
    ),
    "scgi_params of nginx": ({"REQUEST_URI": "/x", "DOCUMENT_URI": "/x"}, ("", "/x")),
    "mod_proxy_fcgi": ({"REQUEST_URI": "/a%20b", "SCRIPT_NAME": "/a b"}, ("", "/a b")),
    "mod_proxy_fcgi where Apache has made one slash of two": (
        {"REQUEST_URI": "//a", "SCRIPT_NAME": "/a"},
        ("", "/a"),
    ),
    "a path that begins like its mount point, split as CGI has it": (
        {"REQUEST_URI": "/app/app/x", "SCRIPT_NAME": "/app", "PATH_INFO": "/app/x"},
        ("/app", "/app/x"),
    ),
    "the mount point itself": (
        {"REQUEST_URI": "/app", "SCRIPT_NAME": "/app", "PATH_INFO": ""},
        ("/app", ""),
    ),
    "a mount point with a slash at its end": (
        {"REQUEST_URI": "/app/x", "SCRIPT_NAME": "/app/", "PATH_INFO": "/x"},
        ("/app", "/x"),
    ),
    "a neighbour of the mount point": (
        {"REQUEST_URI": "/apple", "SCRIPT_NAME": "/app", "DOCUMENT_URI": "/apple"},
        ("", "/apple"),
    ),
    "a target with scheme and host": (
        {"REQUEST_URI": "http://a.example/x?q", "DOCUMENT_URI": "/x"},
        ("", "/x"),
    ),
    "nothing but a script": ({"SCRIPT_NAME": "/x"}, ("", "/x")),
    "nothing at all": ({}, ("", "")),
}


@pytest.mark.parametrize("name", CASES)
def test_every_web_server_s_variables_mean_the_same(name: str):
    told, expected = CASES[name]
    environ = dict(told)
    settle_path(environ, {"REQUEST_METHOD": "GET", **told}, "")
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == expected


def test_the_mount_point_may_be_the_server_s_own_setting():
    environ: dict[str, str] = {}
    settle_path(environ, {"PATH_INFO": "/app/x", "DOCUMENT_URI": "/app/x"}, "/app")
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/app", "/x")


def test_a_target_that_was_not_told_is_made_of_what_was():
    environ = {"QUERY_STRING": "q=1"}
    settle_path(
        environ, {"SCRIPT_NAME": "/app", "PATH_INFO": "/caf\xc3\xa9 x?", "QUERY_STRING": "q=1"}, ""
    )
    assert environ["REQUEST_URI"] == "/app/caf%C3%A9%20x%3F?q=1"


def test_the_query_is_that_of_the_target_where_none_was_told():
    environ: dict[str, str] = {}
    settle_path(environ, {"REQUEST_METHOD": "GET", "REQUEST_URI": "/x?a=1", "PATH_INFO": "/x"}, "")
    assert environ["QUERY_STRING"] == "a=1"


def test_a_path_begins_with_a_slash():
    with pytest.raises(BadTarget):
        settle_path({}, {"PATH_INFO": "x"}, "")
