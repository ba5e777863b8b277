"""Runs a real Prometheus that scrapes a test's canter, and asks it questions."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.live.fronts.front import Front, listening
from tests.live.fronts.wrapping import Started, program
from tests.live.harness import ROOT
from tests.live.waiting import eventually

RULES = ROOT / "deploy" / "prometheus" / "canter.rules.yml"
_CONFIGURATION = """\
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: canter
    static_configs: [{{targets: ["{target}"]}}]
"""
_START_SECONDS = 30.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def started(directory: Path, port: int, target: str) -> Started:
    """Its configuration, and the command that runs it."""
    configuration = directory / "prometheus.yml"
    configuration.write_text(_CONFIGURATION.format(rules=RULES, target=target))
    return Started(
        [
            program("prometheus"),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
    )


class Prometheus:
    """A running one."""

    def __init__(self, process: Front) -> None:
        self._process = process
        host, port = process.address
        self._url = f"http://{host}:{port}/api/v1"

    def ask(self, path: str, **parameters: str) -> Any:
        """What its HTTP API answers."""
        query = urllib.parse.urlencode(parameters)
        with _DIRECT.open(f"{self._url}/{path}?{query}", timeout=20) as answer:
            return json.load(answer)["data"]

    def query(self, query: str) -> list[float]:
        """The values of all series that `query` gives now."""
        return [float(one["value"][1]) for one in self.ask("query", query=query)["result"]]

    def value(self, query: str) -> float | None:
        """The value of the one series that `query` gives, None where there is none yet."""
        found = self.query(query)
        assert len(found) <= 1, found
        return found[0] if found else None

    def has_scraped(self) -> bool:
        try:
            return self.value("up") == 1
        except OSError:
            # It listens before it answers.
            assert self._process.process.poll() is None, self._process.show()
            return False


@contextmanager
def scraping(directory: Path, target: str) -> Iterator[Prometheus]:
    """A Prometheus that has scraped `target` (HOST:PORT)."""
    with listening(lambda folder, port: started(folder, port, target), directory) as process:
        prometheus = Prometheus(process)
        eventually(prometheus.has_scraped, "Prometheus has scraped", _START_SECONDS)
        yield prometheus
