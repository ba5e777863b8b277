"""Every setting that an engine needs reaches its record."""

from __future__ import annotations

import dataclasses
import ipaddress
from pathlib import Path

import pytest

from canter.engine.contract import BodyMode, EngineConfig
from canter.settings import Settings, Surroundings, arguments_layer, load
from canter.worker.wiring import engine_config, trust_policy


def settings(tmp_path: Path, **values: object) -> Settings:
    surroundings = Surroundings(directory=str(tmp_path), environment={})
    return load(surroundings, arguments_layer(values))


def config(tmp_path: Path, **values: object) -> EngineConfig:
    return engine_config(settings(tmp_path, **values), multiprocess=True)


@pytest.mark.parametrize(
    ("name", "value", "path", "expected"),
    [
        ("threads", 7, "threads", 7),
        ("worker_connections", 55, "worker_connections", 55),
        ("header_timeout", 1.5, "header_timeout_seconds", 1.5),
        ("body_timeout", 2.5, "body_timeout_seconds", 2.5),
        ("send_timeout", 3.5, "send_timeout_seconds", 3.5),
        ("keepalive", 4.5, "keep_alive_seconds", 4.5),
        ("request_body", "stream", "request_body", BodyMode.STREAM),
        ("body_memory", 123, "body_memory_bytes", 123),
        ("tmp_upload_dir", "/somewhere", "spool_directory", "/somewhere"),
        ("sendfile", False, "sendfile", False),
        ("queue_timeout", 0.5, "queue_timeout_seconds", 0.5),
        ("soft_timeout", 1.5, "soft_timeout_seconds", 1.5),
        ("max_queue", 8, "max_queue", 8),
        ("max_requests", 9, "max_requests", 9),
        ("limit_request_line", 11, "limits.request_line", 11),
        ("limit_request_fields", 12, "limits.fields", 12),
        ("limit_request_field_size", 13, "limits.field_size", 13),
        ("limit_request_body", 14, "limits.body", 14),
        ("permit_obsolete_folding", True, "leniency.permit_obsolete_folding", True),
        ("strip_header_spaces", True, "leniency.strip_header_spaces", True),
        (
            "permit_unconventional_http_method",
            True,
            "leniency.permit_unconventional_http_method",
            True,
        ),
        (
            "permit_unconventional_http_version",
            True,
            "leniency.permit_unconventional_http_version",
            True,
        ),
        ("casefold_http_method", True, "leniency.casefold_http_method", True),
        ("header_map", "refuse", "leniency.header_map", "refuse"),
        ("forwarder_headers", ["REMOTE_USER"], "trust.forwarder_headers", ("REMOTE_USER",)),
        ("forwarded_allow_ips", "*", "trust.allow", "*"),
    ],
)
def test_a_setting_reaches_the_engine(
    tmp_path: Path, name: str, value: object, path: str, expected: object
):
    found: object = config(tmp_path, **{name: value})
    unset: object = config(tmp_path)
    for part in path.split("."):
        found, unset = getattr(found, part), getattr(unset, part)
    assert found == expected
    assert unset != expected


def test_without_settings_the_engine_has_its_own_defaults(tmp_path: Path):
    default = EngineConfig(multiprocess=True)
    ours = config(tmp_path)
    assert ours.body_budget.total_bytes == default.body_budget.total_bytes
    assert (
        dataclasses.replace(ours, trust=default.trust, body_budget=default.body_budget) == default
    )


def test_jitter_is_added_within_its_bounds(tmp_path: Path):
    drawn = {
        config(tmp_path, max_requests=100, max_requests_jitter=3).max_requests for _ in range(200)
    }
    assert drawn == {100, 101, 102, 103}


def test_jitter_without_a_maximum_replaces_nobody(tmp_path: Path):
    assert config(tmp_path, max_requests_jitter=5).max_requests == 0


def test_peers_are_trusted_by_network(tmp_path: Path):
    policy = trust_policy(settings(tmp_path, forwarded_allow_ips="10.0.0.0/8,::1"))
    assert policy.allow == (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1"))
    assert policy.trusts("10.1.2.3")
    assert not policy.trusts("11.1.2.3")
    assert policy.secure_scheme_headers["X-FORWARDED-PROTO"] == "https"
