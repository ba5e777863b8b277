"""What the tests of engines share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.engine.serving import Serving

Serve = Callable[..., Serving]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start an engine around an application; stopped after the test, and nothing may be left.

    Arguments as those of `Serving`, without the folder.
    """
    with ExitStack() as running:

        def start(application: Any, *arguments: Any, **options: Any) -> Serving:
            return running.enter_context(Serving(application, tmp_path, *arguments, **options))

        yield start
