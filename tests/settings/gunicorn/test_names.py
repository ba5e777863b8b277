"""Gunicorn's settings that canter does not have: which values ask for something."""

from __future__ import annotations

import pytest

from canter.settings.gunicorn.names import FOREIGN, HOOKS, Arity, foreign_warnings
from canter.settings.provenance import Source, SourceKind
from canter.settings.registry import SETTINGS

SOURCE = Source(SourceKind.FILE, "gunicorn.conf.py:1")


def test_no_name_is_both_ours_and_not_ours():
    assert not set(SETTINGS) & (set(FOREIGN) | HOOKS)
    assert not set(FOREIGN) & HOOKS


def test_together_they_are_all_of_gunicorn_27():
    own = {
        "script_name",
        "forwarded_fields",
        "header_timeout",
        "body_timeout",
        "send_timeout",
        "boot_timeout",
        "max_unavailable",
        "max_surge",
        "warmup",
        "limit_request_body",
        "request_body",
        "body_memory",
        "unix_socket_mode",
        "unix_socket_owner",
        "keyfile_password_file",
        "certificates",
        "self_signed",
        "tls_minimum_version",
        "health_path",
        "static",
        "static_max_age",
        "sendfile_roots",
        "drain_delay",
        "queue_timeout",
        "max_queue",
        "soft_timeout",
        "slow_request",
        "max_lifetime",
        "max_lifetime_jitter",
        "max_memory",
        "log_format",
        "log_split",
        "request_id",
        "metrics_bind",
        "status_bind",
        "tracing",
        "metrics_path",
        "metrics_allow_ips",
        "health_check",
        "health_check_interval",
        "health_check_timeout",
    }
    assert len((set(SETTINGS) - own) | set(FOREIGN) | HOOKS) == 120


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=lambda it: it.name)
def test_gunicorn_s_default_asks_for_nothing(foreign):
    for value in (*foreign.harmless, None, ""):
        assert foreign_warnings(foreign.name, value, SOURCE) == ()


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=lambda it: it.name)
def test_another_value_is_a_warning(foreign):
    value = not foreign.harmless[0] if foreign.arity is Arity.NONE else "something-else"
    (warning,) = foreign_warnings(foreign.name, value, SOURCE)
    assert warning.startswith(f"gunicorn.conf.py:1: Gunicorn's {foreign.name} has no effect")
