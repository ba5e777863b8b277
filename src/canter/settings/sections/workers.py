"""How many processes and threads serve, and for how long."""

from __future__ import annotations

from canter.settings.kinds import Choice, Integer, Workers
from canter.settings.setting import AnySetting, PlatformVariable, Section, Setting

SECTION = Section("Workers", "How many processes and threads serve, and for how long.")

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
            "cores."
        ),
    ),
    Setting(
        name="worker_class",
        section=SECTION,
        kind=Choice(
            "threads",
            aliases={
                "sync": "threads",
                "gthread": "threads",
                "gunicorn.workers.sync.SyncWorker": "threads",
                "gunicorn.workers.gthread.ThreadWorker": "threads",
            },
        ),
        default="threads",
        flags=("-k", "--worker-class"),
        help="The engine that runs requests. There is one so far, with threads.",
        gunicorn="`sync` and `gthread` are accepted and mean `threads`; other classes are refused.",
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
)
