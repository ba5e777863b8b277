"""How many processes and threads serve, and for how long."""

from __future__ import annotations

from types import MappingProxyType

from canter.settings.kinds import (
    Boolean,
    Duration,
    Integer,
    Optional,
    PartOfWorkers,
    RequestPaths,
    Size,
    WorkerClass,
    Workers,
)
from canter.settings.setting import AnySetting, PlatformVariable, Section, Setting

SECTION = Section("Workers", "How many processes and threads serve, and for how long.")

_GUNICORN_CLASSES = MappingProxyType(
    {
        "sync": "threads",
        "gthread": "threads",
        "gunicorn.workers.sync.SyncWorker": "threads",
        "gunicorn.workers.gthread.ThreadWorker": "threads",
        "gevent_wsgi": "gevent",
        "gevent_pywsgi": "gevent",
        "gunicorn.workers.ggevent.GeventWorker": "gevent",
        "gunicorn.workers.ggevent.GeventPyWSGIWorker": "gevent",
    }
)
_ASGI = (
    "canter serves WSGI applications; an asynchronous one needs an ASGI server such as Uvicorn, "
    "and Django and its like also have a WSGI entry, served with `threads`"
)
_THREADS_INSTEAD = "threads serve instead; raise `threads` to the requests that may wait at once"
_TORNADO = f"for Tornado's own applications run Tornado; {_THREADS_INSTEAD}"
_STRANGERS = MappingProxyType(
    {
        "eventlet": _THREADS_INSTEAD,
        "gunicorn.workers.geventlet": _THREADS_INSTEAD,
        "meinheld": _THREADS_INSTEAD,
        "tornado": _TORNADO,
        "gunicorn.workers.gtornado": _TORNADO,
        "asgi": _ASGI,
        "gunicorn.workers.gasgi": _ASGI,
        "uvicorn": _ASGI,
        "uvicorn_worker": _ASGI,
        "hypercorn": _ASGI,
        "aiohttp": "an application of aiohttp runs its own server; canter serves WSGI applications",
    }
)

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="workers",
        section=SECTION,
        kind=Workers(),
        default=1,
        flags=("-w", "--workers"),
        platform=PlatformVariable("WEB_CONCURRENCY"),
        help=(
            "The number of worker processes. `auto` is one for each processor that this process "
            "may use: the affinity mask and the control group's quota count, not the machine's "
            "cores. A range such as `2-8` or `1-auto` starts with the fewest: more are started "
            "while requests wait, and leave when there is little to do. A number that is set by "
            "hand (`canter scale`, SIGTTIN, SIGTTOU) holds until the next reload."
        ),
    ),
    Setting(
        name="worker_class",
        section=SECTION,
        kind=WorkerClass(
            "threads",
            "gevent",
            aliases=_GUNICORN_CLASSES,
            strangers=_STRANGERS,
            otherwise=(
                "a class derived from Gunicorn's workers needs Gunicorn's arbiter; threads serve, "
                "and what the class adds to a worker's start or end can be a server hook"
            ),
        ),
        default="threads",
        flags=("-k", "--worker-class"),
        help=(
            "The engine that runs requests: `threads`, or `gevent`, a greenlet for each connection "
            "(docs/gevent.md), which needs `canter[gevent]`."
        ),
        gunicorn=(
            "`sync` and `gthread` are one engine, `threads`; with it connections are kept alive, "
            "and a slow client holds no thread, whatever the number of threads. Classes that "
            "cannot be run give a warning that says what to use instead."
        ),
    ),
    Setting(
        name="threads",
        section=SECTION,
        kind=Integer(1, 4096),
        default=1,
        flags=("--threads",),
        help=(
            "The number of threads that call the application in each worker. "
            "At most so many requests run at once in one worker."
        ),
    ),
    Setting(
        name="preload_app",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--preload",),
        help=(
            "Whether the application is imported once for all workers. A process of its own, the "
            "fork server, imports it, and workers are forked from that: they share its memory and "
            "start in milliseconds. A reload starts a new fork server, with the new code. Threads "
            "and connections should not be started at import then: the log names those that were. "
            "Only on Linux; elsewhere each worker imports the application."
        ),
        gunicorn=(
            "In Gunicorn the parent process imports the application, so that a reload brings no "
            "new code."
        ),
    ),
    Setting(
        name="warmup",
        section=SECTION,
        kind=RequestPaths(),
        default=(),
        flags=("--warmup",),
        help=(
            "The paths of requests that the application answers in each worker before that counts "
            "as ready; the option may be repeated. What first requests are slow at is done then, "
            "and a deploy that answers one of them with a status of 500 or more, or with an "
            "exception, is given up while the old one goes on serving. They are GET requests to "
            "the first address, without a client, and take their part of `boot_timeout`."
        ),
    ),
    Setting(
        name="worker_connections",
        section=SECTION,
        kind=Integer(1),
        default=1000,
        flags=("--worker-connections",),
        help=(
            "The number of connections that one worker keeps open, idle ones included. "
            "Beyond it connections wait in the listen queue."
        ),
    ),
    Setting(
        name="max_surge",
        section=SECTION,
        kind=Optional(PartOfWorkers()),
        default=None,
        flags=("--max-surge",),
        help=(
            "How many workers there may be beyond `workers` while some are replaced: a number, or "
            "a percentage of them, rounded up. Where it is not set, a reload starts all new "
            "workers beside the old ones, so that they are all proven before the first of them "
            "serves, and workers are recycled one after the other. With less than 100% a reload "
            "goes in steps: new workers serve as they get ready and old ones leave for them, so "
            "that for a while both answer. If a later one fails, the old ones come back before "
            "the new ones leave."
        ),
    ),
    Setting(
        name="max_unavailable",
        section=SECTION,
        kind=PartOfWorkers(),
        default="0",
        flags=("--max-unavailable",),
        help=(
            "How many of the `workers` may be missing while some are replaced: a number, or a "
            "percentage of them, rounded down. With 0, no worker leaves before its replacement "
            "serves. It saves memory where there is no room for a surge."
        ),
    ),
    Setting(
        name="max_queue",
        section=SECTION,
        kind=Integer(),
        default=0,
        flags=("--max-queue",),
        help=(
            "The number of requests that may wait for a free thread in one worker; 0 means "
            "without limit. What comes while so many wait, and cannot move to an idle worker, is "
            "answered 503 with Retry-After at once, and the application is not called."
        ),
    ),
    Setting(
        name="max_requests",
        section=SECTION,
        kind=Integer(),
        default=0,
        flags=("--max-requests",),
        help=(
            "The number of requests after which a worker is replaced; 0 means never. "
            "Its replacement serves before it leaves."
        ),
    ),
    Setting(
        name="max_requests_jitter",
        section=SECTION,
        kind=Integer(),
        default=0,
        flags=("--max-requests-jitter",),
        help=(
            "The most that is added at random to `max_requests`, for each worker anew. "
            "It keeps workers from being replaced all at the same time."
        ),
    ),
    Setting(
        name="max_lifetime",
        section=SECTION,
        kind=Duration(),
        default=0.0,
        flags=("--max-lifetime",),
        help=(
            "How long a worker serves before it is replaced; 0 means for ever. "
            "Its replacement serves before it leaves."
        ),
    ),
    Setting(
        name="max_lifetime_jitter",
        section=SECTION,
        kind=Duration(),
        default=0.0,
        flags=("--max-lifetime-jitter",),
        help=(
            "The most that is added at random to `max_lifetime`, for each worker anew. "
            "It keeps workers from being replaced all at the same time."
        ),
    ),
    Setting(
        name="max_memory",
        section=SECTION,
        kind=Size(),
        default=0,
        flags=("--max-memory",),
        help=(
            "The resident memory above which a worker is replaced; 0 means no limit. "
            "It is looked at twice a second and has to be too much three times in a row; the "
            "replacement serves before the worker leaves. Memory that workers share counts for "
            "each of them. Linux only."
        ),
    ),
)
