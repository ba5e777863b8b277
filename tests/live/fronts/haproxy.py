"""HAProxy as a TCP proxy that says who its clients are by the PROXY protocol."""

from __future__ import annotations

from pathlib import Path

from tests.live.fronts.front import Behind, program

_SEND = {0: "", 1: " send-proxy", 2: " send-proxy-v2"}


def tcp_front(directory: Path, port: int, behind: Behind) -> list[str]:
    """A TCP proxy."""
    where = f"unix@{behind.path}" if behind.path else behind.host_port
    (directory / "haproxy.cfg").write_text(
        "defaults\n  mode tcp\n  timeout connect 10s\n  timeout client 60s\n  timeout server 60s\n"
        f"frontend in\n  bind 127.0.0.1:{port}\n  default_backend behind\n"
        f"backend behind\n  server one {where}{_SEND[behind.proxy_protocol]}\n"
    )
    return [program("haproxy"), "-db", "-f", str(directory / "haproxy.cfg")]
