"""What settings name is looked at before anything starts, and the message says who named it."""

from __future__ import annotations

import os

import pytest

from canter.cli.preflight import check_what_is_named
from canter.errors import ConfigError
from canter.settings import Surroundings, arguments_layer, load, settings_from


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("bind", ["127.0.0.1:1", "127.0.0.1:http"], "cannot bind to '127.0.0.1:http': the port"),
        ("access_log_format", "%(h", "is not a field"),
        ("tmp_upload_dir", "/no/such/directory", "/no/such/directory is not a directory"),
        ("static", "/s=/no/such/directory", "/no/such/directory is not a directory"),
        ("sendfile_roots", {"/p": "/no/such"}, "/no/such is not a directory"),
        ("unix_socket_owner", "no-such-user-here", "no-such-user-here"),
        ("user", "no-such-user-here", "no-such-user-here"),
        ("group", "no-such-group-here", "no-such-group-here"),
    ],
)
def test_what_is_not_there_is_told_with_the_place_of_the_value(name, value, problem):
    with pytest.raises(ConfigError) as caught:
        check_what_is_named(settings_from({name: value}))
    assert str(caught.value).startswith(f"{name}: ")
    assert problem in str(caught.value)


def test_a_value_in_a_file_is_told_with_its_line(tmp_path):
    (tmp_path / "canter.toml").write_text("\nbind = 'x:y:z'\n")
    settings = load(Surroundings(str(tmp_path), {}), arguments_layer({}))
    with pytest.raises(ConfigError, match=r"^canter\.toml:2: bind: cannot bind to 'x:y:z'"):
        check_what_is_named(settings)


def test_what_is_there_passes(tmp_path):
    arguments = {
        "bind": ["127.0.0.1:0", f"unix:{tmp_path}/socket"],
        "tmp_upload_dir": tmp_path,
        "user": os.geteuid(),
        "group": os.getegid(),
        "unix_socket_owner": f"{os.geteuid()}:{os.getegid()}",
    }
    check_what_is_named(settings_from(arguments))
