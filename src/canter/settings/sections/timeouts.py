"""How long each thing may take, in seconds."""

from __future__ import annotations

from canter.settings.kinds import Duration
from canter.settings.setting import AnySetting, Section, Setting

SECTION = Section(
    "Time-outs",
    "How long each thing may take. All take seconds, or a number with a unit: `500ms`, `30s`, "
    "`2m`, `1h`.",
)

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="timeout",
        section=SECTION,
        kind=Duration(),
        default=30.0,
        flags=("-t", "--timeout"),
        help=(
            "How long one request may run in the application; 0 means without limit. A request "
            "that takes longer is answered 504 if nothing was sent yet, and its worker is "
            "replaced without harming the others that run in it; the log names the request and "
            "shows where its thread was."
        ),
        gunicorn=(
            "It limits every request, whatever the number of threads. Gunicorn's limits the "
            "silence of a whole worker, which is a request's time only for its sync worker."
        ),
    ),
    Setting(
        name="soft_timeout",
        section=SECTION,
        kind=Duration(),
        default=0.0,
        flags=("--soft-timeout",),
        help=(
            "How long one request may run before `canter.RequestTimeout` is raised in its thread; "
            "0 means that it never is. The application may catch it, clean up and answer; if it "
            "does not, the answer is 504, the log shows where it was, and the worker goes on. A "
            "call that waits in compiled code is not interrupted; for that there is `timeout`."
        ),
    ),
    Setting(
        name="slow_request",
        section=SECTION,
        kind=Duration(),
        default=0.0,
        flags=("--slow-request",),
        help=(
            "How long one request may run before the log tells of it, with the stack of its thread "
            "at that moment; 0 means that it never does. Each request is told once, ten in ten "
            "seconds at most, and then how many more there were."
        ),
    ),
    Setting(
        name="queue_timeout",
        section=SECTION,
        kind=Duration(),
        default=0.0,
        flags=("--queue-timeout",),
        help=(
            "How long a request may wait for a free thread; 0 means without limit. One that has "
            "waited longer is answered 503 with Retry-After, and the application is not called."
        ),
    ),
    Setting(
        name="graceful_timeout",
        section=SECTION,
        kind=Duration(),
        default=30.0,
        flags=("--graceful-timeout",),
        help=(
            "How long running requests may take to finish when a worker is stopped or replaced. "
            "What still runs then is ended."
        ),
    ),
    Setting(
        name="drain_delay",
        section=SECTION,
        kind=Duration(),
        default=0.0,
        flags=("--drain-delay",),
        help=(
            "How long to serve on, as before, after being told to stop gracefully, while health "
            "checks say that the service leaves; then the drain begins. It gives load balancers "
            "time to notice, so that no request meets a closed port; it should be longer than "
            "they take for that. A second signal ends the service at once."
        ),
    ),
    Setting(
        name="keepalive",
        section=SECTION,
        kind=Duration(),
        default=75.0,
        flags=("--keep-alive",),
        help=(
            "How long an idle connection is kept for its next request; 0 means that every "
            "response ends its connection. It should be longer than the idle time-out of the load "
            "balancer in front, which otherwise sends requests into connections that just closed."
        ),
        gunicorn_default="Gunicorn's default is 2 seconds.",
    ),
    Setting(
        name="header_timeout",
        section=SECTION,
        kind=Duration(zero=False),
        default=10.0,
        flags=("--header-timeout",),
        help=(
            "How long the head of a request may take to arrive, from its first byte; for the "
            "first request of a connection, from its opening. Then the answer is 408."
        ),
    ),
    Setting(
        name="body_timeout",
        section=SECTION,
        kind=Duration(zero=False),
        default=30.0,
        flags=("--body-timeout",),
        help=(
            "How long the body of a request may pause without a byte arriving. "
            "Then the answer is 408."
        ),
    ),
    Setting(
        name="send_timeout",
        section=SECTION,
        kind=Duration(zero=False),
        default=60.0,
        flags=("--send-timeout",),
        help=(
            "How long a client may take no byte of its response before the connection is cut. "
            "A slow client that takes some is not concerned."
        ),
    ),
    Setting(
        name="boot_timeout",
        section=SECTION,
        kind=Duration(zero=False),
        default=60.0,
        flags=("--boot-timeout",),
        help="How long a worker may take to import the application and be ready.",
    ),
)
