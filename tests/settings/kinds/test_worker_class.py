"""Worker classes: Gunicorn's names for what canter has, and advice for what it has not."""

from __future__ import annotations

import pytest

from canter.settings import settings_from
from canter.settings.registry import SETTINGS

KIND = SETTINGS["worker_class"].kind


class Custom:
    """A class as a configuration in Python gives it."""


@pytest.mark.parametrize(
    ("written", "engine"),
    [
        ("threads", "threads"),
        ("sync", "threads"),
        ("gthread", "threads"),
        ("egg:gunicorn#sync", "threads"),
        ("gunicorn.workers.gthread.ThreadWorker", "threads"),
        ("gevent", "gevent"),
        ("gevent_pywsgi", "gevent"),
        ("gunicorn.workers.ggevent.GeventWorker", "gevent"),
    ],
)
def test_gunicorn_s_names_mean_an_engine(written, engine):
    assert KIND.parse(written) == engine
    assert KIND.remark(written) == ""


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("eventlet", "threads serve instead"),
        ("tornado", "run Tornado"),
        ("asgi", "an ASGI server such as Uvicorn"),
        ("uvicorn.workers.UvicornWorker", "an ASGI server such as Uvicorn"),
        ("uvicorn_worker.UvicornWorker", "an ASGI server such as Uvicorn"),
        ("aiohttp.GunicornWebWorker", "runs its own server"),
        ("our.workers.Careful", "can be a server hook"),
        ("our.workers:Careful", "can be a server hook"),
        (Custom, "can be a server hook"),
    ],
)
def test_other_classes_are_served_by_threads_and_told_what_to_use_instead(written, advice):
    assert KIND.parse(written) == "threads"
    assert advice in KIND.remark(written)
    (warning,) = settings_from({"worker_class": written}).warnings
    assert warning == f"worker_class: {KIND.remark(written)}"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("gtread", "gthread"), ("threadz", "threads"), ("gevnt", "gevent"), ("even", None)],
)
def test_a_slip_is_refused_with_the_nearest_name(written, meant):
    with pytest.raises(ValueError, match="is no class of workers") as caught:
        KIND.parse(written)
    assert ("did you mean" in str(caught.value)) == (meant is not None)
    assert meant is None or str(caught.value).endswith(f"did you mean {meant}?")


@pytest.mark.parametrize("written", [None, 3, "", "two words"])
def test_what_names_no_class_is_refused(written):
    with pytest.raises(ValueError, match="is no class of workers"):
        KIND.parse(written)


def test_what_is_about_threads_has_no_effect_on_greenlets():
    (warning,) = settings_from(
        {"worker_class": "gevent", "threads": 4, "preload_app": True}
    ).warnings
    assert warning == "threads and preload_app have no effect with worker_class gevent"
    assert not settings_from({"worker_class": "gevent", "worker_connections": 1}).warnings
