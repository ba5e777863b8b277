"""The forms of a target, and paths as applications see them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.faults import BadForwarding, BadTarget, MethodNotImplemented
from canter.protocol.target import Target, decode_path, mount, resolve_target


@pytest.mark.parametrize(
    ("target", "resolved"),
    [
        ("/a?b?c", Target("/a", "b?c", None)),
        ("http://h", Target("/", "", "h")),
        ("http://h/", Target("/", "", "h")),
        ("HTTPS://h:1/a/b?c", Target("/a/b", "c", "h:1")),
        ("http://h?c", Target("/", "c", "h")),
        ("http://[::1]:80//x", Target("//x", "", "[::1]:80")),
    ],
)
def test_a_target_is_taken_apart(target, resolved):
    assert resolve_target("GET", target) == resolved


def test_a_server_as_a_whole_has_options():
    assert resolve_target("OPTIONS", "*") == Target("*", "", None)
    assert resolve_target("OPTIONS", "http://h") == Target("*", "", "h")
    assert resolve_target("OPTIONS", "http://h?") == Target("/", "", "h")


@pytest.mark.parametrize(
    "target", ["x", "*", "h:80", "http:/h/", "http://", "ws://h/", "http://a@h/"]
)
def test_other_targets_are_refused(target):
    with pytest.raises(BadTarget):
        resolve_target("GET", target)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_connect_never_passes(target):
    with pytest.raises((BadTarget, MethodNotImplemented)):
        resolve_target("CONNECT", target)


@given(st.binary())
def test_every_path_can_be_encoded_and_comes_back_as_its_bytes(path):
    encoded = "".join(f"%{byte:02x}" for byte in path)
    assert decode_path(encoded).encode("latin-1") == path


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_decoding_gives_latin_1_and_leaves_what_is_not_encoded(path):
    decoded = decode_path(path)
    decoded.encode("latin-1")
    if "%" not in path:
        assert decoded == path


@pytest.mark.parametrize(
    ("script_name", "path", "mounted", "rest"),
    [
        ("/app", "/app/x", "/app", "/x"),
        ("/app", "/app", "/app", ""),
        ("/app/", "/app/", "/app", "/"),
        ("/", "/x", "", "/x"),
        ("/a/b", "/a/b//c", "/a/b", "//c"),
    ],
)
def test_the_mount_point_moves_from_the_path(script_name, path, mounted, rest):
    environ = {"SCRIPT_NAME": script_name, "PATH_INFO": path}
    mount(environ)
    assert environ == {"SCRIPT_NAME": mounted, "PATH_INFO": rest}


@pytest.mark.parametrize("path", ["/", "/ap", "/apps", "/x/app", "*"])
def test_a_path_beside_the_mount_point_is_refused(path):
    with pytest.raises(BadForwarding):
        mount({"SCRIPT_NAME": "/app", "PATH_INFO": path})
