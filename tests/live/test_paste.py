"""PasteDeploy: `--paste`, and the server runner that `[server:main]` names."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.live.harness import Server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.harness import Start

INI = """\
[DEFAULT]
colour = blue

[app:main]
paste.app_factory = paste_site:make

[app:other]
paste.app_factory = paste_site:make
size = 4

[server:main]
paste.server_runner = canter.cli.paste:serve
host = 127.0.0.1
port = 0
threads = 2
errorlog = error.log
"""

SITE = """\
def make(global_conf, size="3"):
    body = f"{global_conf['colour']} {size}".encode()
    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]
    return application
"""

RUNNER = """\
from paste.deploy import loadapp, loadserver
loadserver("config:site.ini", relative_to=".")(loadapp("config:site.ini", relative_to="."))
"""


def write_site(directory: Path) -> None:
    directory.mkdir()
    (directory / "site.ini").write_text(INI)
    (directory / "paste_site.py").write_text(SITE)
    (directory / "runner.py").write_text(RUNNER)


def test_a_section_of_a_paste_file_is_served(start: Start, tmp_path: Path) -> None:
    write_site(tmp_path / "server1")
    server = start(None, "--paste", "site.ini#other", "--paste-global", "colour=red")
    assert server.get("/").body == b"red 4"


def test_a_paste_file_may_name_canter_as_its_server(start: Start, tmp_path: Path) -> None:
    write_site(tmp_path / "server1")
    server: Server = start(None, bind=None, logs=False, command=(sys.executable, "runner.py"))
    assert server.get("/").body == b"blue 3"
    assert "2 threads each" in server.log()
