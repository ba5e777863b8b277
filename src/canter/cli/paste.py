"""The server runner of PasteDeploy: `[server:main]` with `use = egg:canter#main`.

The section's names are settings; `host` and `port` make an address, as for Gunicorn's runner.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from canter.cli.embedding import run_application
from canter.errors import CanterError


def serve(app: Callable[..., Any], global_conf: Mapping[str, str], **local_conf: str) -> None:
    """Serve `app` until it is told to stop; the process ends with canter's exit status."""
    del global_conf
    arguments: dict[str, object] = dict(local_conf)
    host, port = arguments.pop("host", ""), arguments.pop("port", "")
    if host or port:
        arguments.setdefault("bind", f"{host}:{port}" if port else host)
    try:
        sys.exit(run_application(app, arguments))
    except CanterError as error:
        print(f"canter: error: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
