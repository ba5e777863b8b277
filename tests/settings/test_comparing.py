"""What a reload would change: files as they are now, beside what a server was told otherwise."""

from __future__ import annotations

import json

from canter.settings import Surroundings, load, parse_options
from canter.settings.comparing import compare, fixed_layers, settings_told
from canter.settings.sources import read_layers, settle_layers


def differences(tmp_path, before, now, *words, **environment):
    (tmp_path / "canter.toml").write_text(before)
    running = load(Surroundings(str(tmp_path), environment), parse_options(words).layer)
    told = json.loads(json.dumps(settings_told(running)))
    (tmp_path / "canter.toml").write_text(now)
    below, above = fixed_layers(told)
    layers = read_layers(Surroundings(str(tmp_path), {}), above)
    found = compare(told, settle_layers([below, *layers]))
    return [(it.name, it.running, it.now, it.running_source, it.now_source) for it in found]


def test_nothing_differs_while_the_files_are_the_same(tmp_path):
    text = 'threads = 2\nraw_env = ["A=1"]\npidfile = "a.pid"\n'
    words = ["--workers", "3", "-b", "a:1", "-b", "b:2", "site:app"]
    assert differences(tmp_path, text, text, *words, PORT="9000", CANTER_TIMEOUT="5") == []


def test_a_changed_file_is_a_difference_with_both_places(tmp_path):
    assert differences(tmp_path, "threads = 2\n", "\nthreads = 4\n") == [
        ("threads", "2", "4", "canter.toml:1", "canter.toml:2")
    ]
    assert differences(tmp_path, "pidfile = 'a'\n", "") == [
        ("pidfile", "a", "not set", "canter.toml:1", "default")
    ]


def test_what_the_command_line_said_goes_on_to_hold(tmp_path):
    assert differences(tmp_path, "threads = 2", "threads = 4", "--threads", "3") == []


def test_a_platform_s_variable_stays_weaker_than_the_file(tmp_path):
    assert differences(tmp_path, "", "workers = 4", WEB_CONCURRENCY="2") == [
        ("workers", "2", "4", "env WEB_CONCURRENCY", "canter.toml:1")
    ]
