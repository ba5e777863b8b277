"""What settings must be to each other."""

from __future__ import annotations

import pytest

from canter.errors import ConfigError
from canter.settings import settings_from


def test_defaults_break_no_rule():
    assert settings_from().warnings == ()


def test_there_are_at_least_as_many_connections_as_threads():
    with pytest.raises(
        ConfigError,
        match=r"^worker_connections \(2, argument\) is below threads \(4, argument\): not all",
    ):
        settings_from({"threads": 4, "worker_connections": 2})
    assert settings_from({"threads": 4, "worker_connections": 4}).threads == 4


def test_jitter_alone_is_named_as_having_no_effect():
    assert settings_from({"max_requests_jitter": 5}).warnings == (
        "max_requests_jitter has no effect without max_requests",
    )
    assert settings_from({"max_requests_jitter": 5, "max_requests": 9}).warnings == ()


def test_a_jitter_of_the_lifetime_alone_is_named_as_having_no_effect():
    assert settings_from({"max_lifetime_jitter": 5}).warnings == (
        "max_lifetime_jitter has no effect without max_lifetime",
    )
    assert settings_from({"max_lifetime_jitter": 5, "max_lifetime": 9}).warnings == ()


def test_a_soft_timeout_that_comes_too_late_is_named_as_having_no_effect():
    assert settings_from({"soft_timeout": 30}).warnings == (
        "soft_timeout has no effect: timeout is not longer",
    )
    assert settings_from({"soft_timeout": 30, "timeout": 0}).warnings == ()
    assert settings_from({"soft_timeout": 29}).warnings == ()


@pytest.mark.parametrize("name", ["unix_socket_mode", "unix_socket_owner"])
def test_mode_and_owner_without_a_socket_file_are_named_as_having_no_effect(name):
    value = {name: "0600"}
    for addresses in (["127.0.0.1:1"], ["unix:@abstract"], ["unix://@abstract"]):
        (warning,) = settings_from({**value, "bind": addresses}).warnings
        assert warning.startswith("unix_socket_mode and unix_socket_owner have no effect")
    for addresses in (["unix:/x"], ["UNIX:/x"], ["unix:///x", "127.0.0.1:1"]):
        assert settings_from({**value, "bind": addresses}).warnings == ()


def test_extra_files_without_reload_are_named_as_having_no_effect():
    assert settings_from({"reload_extra_files": ["x"]}).warnings == (
        "reload_extra_files has no effect without reload",
    )
    assert settings_from({"reload_extra_files": ["x"], "reload": True}).warnings == ()


def test_without_a_worker_more_or_less_nobody_could_be_replaced():
    with pytest.raises(ConfigError, match=r"^max_surge and max_unavailable are both 0 \("):
        settings_from({"max_surge": 0, "max_unavailable": "0%"})
    assert settings_from({"max_surge": 0, "max_unavailable": 1}).max_surge == "0"
