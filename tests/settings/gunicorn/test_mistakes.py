"""The well-known mistakes are found, and nothing else is."""

from __future__ import annotations

import pytest

from canter.settings import settings_from
from canter.settings.gunicorn.mistakes import Sources, find_mistakes

CORES = "import os\nworkers = 2 * os.cpu_count() + 1\n"
APP = "import psycopg2\ndb = psycopg2.connect('x')\ndef later():\n    psycopg2.connect('y')\n"


def names(sources=None, **arguments):
    return [it.name for it in find_mistakes(settings_from(arguments), sources or Sources())]


@pytest.mark.parametrize(
    ("mistaken", "right"),
    [
        ({"timeout": 0}, {"timeout": 30}),
        ({"timeout": 3600}, {"timeout": 300}),
        ({"keepalive": 5}, {"keepalive": 75}),
        ({"keepalive": 60}, {"keepalive": 0}),
        ({"max_requests": 1000}, {"max_requests": 1000, "max_requests_jitter": 50}),
        ({"reload": True}, {"reload": False}),
        (
            {"forwarded_allow_ips": "*", "bind": ["127.0.0.1:1", "0.0.0.0:80"]},
            {"forwarded_allow_ips": "*", "bind": ["127.0.0.1:1", "unix:a"]},
        ),
    ],
)
def test_a_setting_that_hurts_is_named(mistaken, right):
    assert names(**mistaken) == [next(iter(mistaken))]
    assert names(**right) == []


def test_the_machine_s_cores_as_the_number_of_workers_are_named_with_their_line():
    sources = Sources(config=CORES, config_label="gunicorn.conf.py")
    (mistake,) = find_mistakes(settings_from({"workers": 9}), sources)
    assert (mistake.name, mistake.place) == ("workers", "gunicorn.conf.py:2")
    assert '"auto"' in mistake.text


def test_a_source_that_cannot_be_parsed_shows_no_mistake():
    assert names(Sources(config="workers = ", app="\0")) == []


def test_a_connection_opened_at_import_is_named_where_the_application_is_preloaded():
    sources = Sources(app=APP, app_label="site.py")
    (mistake,) = find_mistakes(settings_from({"preload_app": True}), sources)
    assert (mistake.name, mistake.place) == ("preload_app", "site.py:2"), "not the one in later()"
    assert names(sources) == []
