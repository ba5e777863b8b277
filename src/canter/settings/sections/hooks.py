"""Functions of the deployment that the server calls, under Gunicorn's names."""

from __future__ import annotations

from canter.settings.kinds import Hook, Optional
from canter.settings.setting import AnySetting, Section, Setting

SECTION = Section(
    "Hooks",
    "Functions of yours that are called at certain moments, with the arguments that Gunicorn gives "
    "them. In a configuration in Python they are functions of that name; elsewhere, name one as "
    "`module:attribute`. [hooks.md](hooks.md) tells what they find, and what becomes of one that "
    "raises.",
)


def _hook(name: str, parameters: str, text: str, *, fewest: int | None = None) -> AnySetting:
    count = parameters.count(",") + 1
    return Setting(
        name=name,
        section=SECTION,
        kind=Optional(Hook(count, fewest)),
        default=None,
        help=f"Called as `{name}({parameters})` {text}",
    )


SETTINGS: tuple[AnySetting, ...] = (
    _hook("on_starting", "server", "in the supervisor, before it opens its sockets."),
    _hook("on_reload", "server", "in the supervisor, when a reload has read its settings."),
    _hook(
        "when_ready",
        "server",
        "in the supervisor, when its sockets are open and no worker has been started.",
    ),
    _hook("pre_fork", "server, worker", "in the supervisor, before each worker is started."),
    _hook(
        "post_fork",
        "server, worker",
        "in the worker, before it changes its user and imports the application.",
    ),
    _hook(
        "post_worker_init",
        "worker",
        "in the worker, when the application is imported and nothing has been accepted yet.",
    ),
    _hook("worker_int", "worker", "in the worker, when it is told to stop at once (INT, QUIT)."),
    _hook(
        "worker_abort",
        "worker",
        "in the worker, when one of its requests is over its time, or on ABRT.",
    ),
    _hook("pre_exec", "server", "in the supervisor, before it starts the next one on USR2."),
    _hook(
        "pre_request",
        "worker, req",
        "in the thread of the request, before the application is called.",
    ),
    _hook(
        "post_request",
        "worker, req, environ, resp",
        "in the thread of the request, when its answer was sent; it may take the first two or "
        "three arguments only.",
        fewest=2,
    ),
    _hook("child_exit", "server, worker", "in the supervisor, when a worker's process has ended."),
    _hook("worker_exit", "server, worker", "in the worker, as it leaves."),
    _hook(
        "nworkers_changed",
        "server, new_value, old_value",
        "in the supervisor, when another number of workers is wanted; at the start the old one "
        "is None.",
    ),
    _hook(
        "ssl_context",
        "config, default_ssl_context_factory",
        "in the supervisor where TLS is spoken, once for each start and reload, and in the workers "
        "when a certificate's file has changed; never for each connection. It gives the "
        "`ssl.SSLContext` that is used.",
    ),
    _hook("on_exit", "server", "in the supervisor, as it leaves."),
)
