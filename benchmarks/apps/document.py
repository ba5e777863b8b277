"""The document that the framework applications answer as JSON."""

from __future__ import annotations

from typing import Any

DOCUMENT: dict[str, Any] = {
    "message": "Hello, world!",
    "items": [
        {"id": number, "name": f"item {number}", "price": number * 1.5} for number in range(10)
    ],
}
