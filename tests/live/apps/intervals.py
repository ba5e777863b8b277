"""An application that may choose how long a computing thread keeps the interpreter (INTERVAL)."""

from __future__ import annotations

import os
import sys
from typing import Any

if chosen := os.environ.get("INTERVAL"):
    sys.setswitchinterval(float(chosen))


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The interval in seconds."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(sys.getswitchinterval()).encode()]
