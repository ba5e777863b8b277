"""The hint to who names no application comes from what is in the directory."""

from __future__ import annotations

import pytest

from canter.cli.guess import guess_application


@pytest.mark.parametrize(
    ("files", "guess"),
    [
        ([], None),
        (["README.md", "setup.cfg"], None),
        (["app.py"], "app"),
        (["main.py", "wsgi.py"], "wsgi"),
        (["shop/wsgi.py", "manage.py"], "shop.wsgi"),
        (["not-a-package/wsgi.py"], None),
    ],
)
def test_usual_names_are_recognised(tmp_path, files, guess):
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert guess_application(str(tmp_path)) == guess


def test_a_directory_that_cannot_be_read_gives_no_hint(tmp_path):
    assert guess_application(str(tmp_path / "none")) is None
