"""Where the server listens."""

from __future__ import annotations

from canter.settings.kinds import (
    AddressList,
    Boolean,
    Choice,
    Integer,
    OctalMode,
    Optional,
    Text,
)
from canter.settings.setting import AnySetting, PlatformVariable, Section, Setting

SECTION = Section("Addresses", "Where the server listens.")

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="bind",
        section=SECTION,
        kind=AddressList(),
        default=("127.0.0.1:8000",),
        flags=("-b", "--bind"),
        platform=PlatformVariable("PORT", "0.0.0.0:{}"),
        help=(
            "The addresses to listen on. The option may be repeated. The port is 8000 where none "
            "is given; an empty host is every IPv4 address; port 0 lets the system choose one, "
            "which is printed at start. `unix:@NAME` is in Linux's abstract namespace, and "
            "`fd://N` is a socket that whoever starts the server has opened. `uwsgi://HOST:PORT` "
            "or `uwsgi+unix:PATH`, and so for `http`, `fastcgi` and `scgi`, says what is spoken "
            "there; elsewhere it is what `protocol` says."
        ),
    ),
    Setting(
        name="protocol",
        section=SECTION,
        kind=Choice("http", "uwsgi", "fastcgi", "scgi"),
        default="http",
        flags=("--protocol",),
        help=(
            "What is spoken on the addresses of `bind` that do not say it themselves. "
            "uwsgi, FastCGI and SCGI tell who the client is, so they are spoken only with the "
            "peers of `uwsgi_allow_ips`."
        ),
    ),
    Setting(
        name="backlog",
        section=SECTION,
        kind=Integer(1),
        default=2048,
        flags=("--backlog",),
        help=(
            "How many connections may wait to be accepted. The kernel may cap it "
            "(`net.core.somaxconn` on Linux)."
        ),
    ),
    Setting(
        name="reuse_port",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--reuse-port",),
        help=(
            "Let other servers listen on the same TCP addresses, if they set SO_REUSEPORT too. The "
            "kernel then spreads new connections over the servers, each with a queue of its own: a "
            "busy server gets as many as an idle one, what waits in the queue of one that ends "
            "without draining is lost, and a server started twice by mistake is no error. For "
            "upgrades use SIGUSR2, which needs none of this."
        ),
        gunicorn="The workers of one server still share one socket, and so one queue.",
    ),
    Setting(
        name="unix_socket_mode",
        section=SECTION,
        kind=Optional(OctalMode()),
        default=None,
        flags=("--unix-socket-mode",),
        help=(
            "The permission bits of unix sockets. Where it is not set, `umask` decides, which by "
            "default lets everyone connect, as Gunicorn does."
        ),
    ),
    Setting(
        name="unix_socket_owner",
        section=SECTION,
        kind=Optional(Text("USER[:GROUP]")),
        default=None,
        flags=("--unix-socket-owner",),
        help=(
            "The owner of unix sockets, as `user`, `user:group` or `:group`. "
            "Names and numbers are both understood."
        ),
    ),
    Setting(
        name="umask",
        section=SECTION,
        kind=OctalMode(),
        default=0,
        flags=("-m", "--umask"),
        help=(
            "The file mode mask while unix sockets are made. "
            "Files that the application makes are not concerned."
        ),
        gunicorn="The text must be octal: Gunicorn reads `22` as a decimal number.",
    ),
)
