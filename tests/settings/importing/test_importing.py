"""Configurations of other servers become a canter.toml, with what has no equivalent in comments."""

from __future__ import annotations

import tomllib

import pytest

from canter.errors import ConfigError
from canter.settings import settings_from
from canter.settings.files import toml_layer
from canter.settings.gunicorn.files import python_layer, run_file
from canter.settings.importing.equivalents import Equivalents
from canter.settings.importing.granian import from_granian
from canter.settings.importing.gunicorn import from_gunicorn
from canter.settings.importing.uwsgi import from_uwsgi
from canter.settings.layers import merge, settle

UWSGI = """\
# a site
[uwsgi]
module = shop.wsgi
callable = app
http-socket = 127.0.0.1:9090
processes = 4
threads = 8
harakiri = 60
max-requests = 1000
env = A=1
env = B=2
chmod-socket
limit-post = 10485760
reload-on-rss = 300
master = true
vacuum = true
emperor = /etc/vassals
frobnicate = 3
[other]
threads = 99
"""


def imported(read, text, label):
    found = Equivalents()
    read(text, label, found)
    page = found.toml()
    settle(merge([toml_layer(page, "canter.toml")]))
    return tomllib.loads(page), page


def test_uwsgi_s_ini():
    values, page = imported(from_uwsgi, UWSGI, "site.ini")
    assert values == {
        "wsgi_app": "shop.wsgi:app",
        "bind": ["127.0.0.1:9090"],
        "workers": 4,
        "threads": 8,
        "timeout": 60,
        "max_requests": 1000,
        "raw_env": ["A=1", "B=2"],
        "unix_socket_mode": 0o666,
        "limit_request_body": "10M",
        "max_memory": "300M",
    }
    assert "# - site.ini:17: emperor: one service for each site" in page
    assert "# - site.ini:18: frobnicate: canter has no such setting" in page
    assert "# Always so, or never needed: master, vacuum" in page


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("site.yaml", "uwsgi:\n  wsgi-file: shop/wsgi.py\n  processes: 4\n"),
        ("site.json", '{"uwsgi": {"wsgi-file": "shop/wsgi.py", "processes": 4}}'),
    ],
)
def test_uwsgi_s_other_files(label, text):
    values, _ = imported(from_uwsgi, text, label)
    assert values == {"wsgi_app": "shop.wsgi:application", "workers": 4}


def test_uwsgi_s_special_forms():
    text = """[uwsgi]
https = :8443,site.crt,site.key
http = /run/site.sock
pythonpath = a
pythonpath = b
mount = /shop=shop/app.py
mount = /other=other.py
processes = many
"""
    values, page = imported(from_uwsgi, text, "site.ini")
    assert values["bind"] == [":8443", "unix:/run/site.sock"]
    assert (values["pythonpath"], values["script_name"]) == ("a,b", "/shop")
    assert (values["certfile"], values["wsgi_app"]) == ("site.crt", "shop.app")
    assert "site.ini:7: mount: one application for each server" in page
    assert "site.ini:8: processes: workers: 'many' is neither" in page


def test_uwsgi_s_cheaper_is_the_lower_end_of_a_range():
    options = ("cheaper = 2", "processes = 8", "cheaper-algo = busyness")
    for order in (options, options[::-1]):
        values, page = imported(from_uwsgi, "\n".join(["[uwsgi]", *order]), "site.ini")
        assert values == {"workers": "2-8"}
        assert "# Always so, or never needed: cheaper-algo" in page
    _, page = imported(from_uwsgi, "[uwsgi]\ncheaper = 2\n", "site.ini")
    assert "site.ini:2: cheaper: workers is a range" in page


def test_uwsgi_s_gevent_and_its_own_protocol():
    text = "[uwsgi]\ngevent = 100\nuwsgi-socket = 127.0.0.1:3031\n"
    values, _ = imported(from_uwsgi, text, "site.ini")
    assert values == {
        "worker_class": "gevent",
        "worker_connections": 100,
        "bind": ["127.0.0.1:3031"],
        "protocol": "uwsgi",
    }


def test_uwsgi_s_static_files():
    text = """[uwsgi]
static-map = /static=/srv/shop/static
static-map = /media=/srv/media/
static-map2 = /css=/srv/www
check-static = /srv/root
static-expires-uri = /static/ 3600
static-gzip-all = true
static-index = index.html
"""
    values, page = imported(from_uwsgi, text, "site.ini")
    assert values["static"] == {
        "/static": "/srv/shop/static",
        "/media": "/srv/media/",
        "/css": "/srv/www/css",
        "/": "/srv/root",
    }
    assert "# - site.ini:6: static-expires-uri: static_max_age" in page
    assert "# - site.ini:8: static-index: a directory has no page" in page
    assert "never needed: static-gzip-all" in page


def test_a_socket_that_speaks_uwsgi_goes_on_speaking_it():
    values, _ = imported(from_uwsgi, "[uwsgi]\nsocket = /run/site.sock\n", "site.ini")
    assert values == {"bind": ["unix:/run/site.sock"], "protocol": "uwsgi"}


def test_granian_s_switches_are_values_notes_or_needless():
    text = "GRANIAN_SSL_CLIENT_VERIFY=true\nGRANIAN_METRICS_ENABLED=1\nGRANIAN_LOOP=uvloop\n"
    values, page = imported(from_granian, text, "site.env")
    assert values == {"cert_reqs": "required"}
    assert "# - site.env:2: metrics: metrics_bind" in page
    assert "never needed: loop" in page


def test_json_that_is_not_uwsgi_s_is_refused():
    with pytest.raises(ConfigError, match="no JSON with an object uwsgi"):
        imported(from_uwsgi, "[]", "site.json")


def test_granian_s_command_line():
    text = "web: exec granian --interface wsgi --host 0.0.0.0 --port 80 --workers 2 \\\n"
    text += " --blocking-threads=4 --access-log --http1-header-read-timeout 5000 --factory\\\n"
    text += " --no-http1-keep-alive --workers-max-rss 512 shop:make\n"
    values, _ = imported(from_granian, text, "Procfile")
    assert values == {
        "wsgi_app": "shop:make()",
        "bind": ["0.0.0.0:80"],
        "workers": 2,
        "threads": 4,
        "keepalive": 0,
        "header_timeout": 5,
        "accesslog": "-",
        "max_memory": "512M",
    }


def test_granian_s_variables():
    text = "# ours\nGRANIAN_UDS='/run/site.sock'\nexport GRANIAN_INTERFACE=asgi\nGRANIAN_RELOAD=1\n"
    values, page = imported(from_granian, text, "site.env")
    assert values == {"bind": ["unix:/run/site.sock"], "reload": True}
    assert "# - site.env:3: interface: canter serves WSGI applications" in page


def test_a_command_line_that_no_shell_would_take_is_refused():
    with pytest.raises(ConfigError, match=r"Procfile:1: No closing quotation"):
        imported(from_granian, "web: granian 'site\n", "Procfile")


def test_a_setting_that_this_version_has_not_is_a_note():
    found = Equivalents()
    found.give("frobnication", 3, "site.ini:1")
    assert (
        found.toml()
        == "# Without an equivalent:\n# - site.ini:1: this version has no frobnication\n"
    )


def test_a_file_without_granian_is_refused():
    with pytest.raises(ConfigError, match="neither GRANIAN_"):
        imported(from_granian, "A=1\n", "site.env")


def test_gunicorn_s_values_without_its_hooks():
    code = b"workers = 2\nkeepalive = 5\nspew = True\nworker_class = 'tornado'\n"
    code += b"def post_fork(server, worker): pass\n"
    layer = python_layer(run_file(code, "/x/g.py", "g.py"), "g.py", code)
    found = Equivalents()
    from_gunicorn(layer, found)
    page = found.toml()
    assert tomllib.loads(page) == {"workers": 2, "keepalive": 5}
    assert "# - g.py:5: post_fork: a hook; move it to a module" in page
    assert "# - g.py:3: Gunicorn's spew has no effect" in page
    assert "g.py:4: worker_class: 'tornado' cannot be run" in page


def test_every_name_that_is_imported_to_is_a_setting():
    names = settings_from().sources
    for module in (from_uwsgi, from_granian):
        same = module.__globals__["_SAME"]
        assert set(same.values()) <= set(names)
