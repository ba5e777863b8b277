"""Names of metrics, and who depends on them: the dashboard and the alert rules."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from canter.observe.exposition import Exposition, workers_of
from canter.observe.placard import Placard
from canter.observe.site import Site
from canter.supervisor.ledger import Ledger
from canter.supervisor.snapshot import take_snapshot
from canter.supervisor.status import Sight
from tests.supervisor.test_ledger import AROUND, FACTS, tally
from tests.supervisor.worlds import started

if TYPE_CHECKING:
    from prometheus_client import Metric

yaml = pytest.importorskip("yaml")
parser = pytest.importorskip("prometheus_client.parser")

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD = DEPLOY / "grafana" / "canter.json"
RULES = DEPLOY / "prometheus" / "canter.rules.yml"
OF_PROMETHEUS = {"up"}
LABELS_OF_PROMETHEUS = {"job", "instance", "le"}
WORDS = {"sum", "max", "min", "count", "by", "rate", "increase", "time", "histogram_quantile"}
"""What PromQL and the grouping of our expressions are made of, beside names."""


def snapshot() -> dict[str, Any]:
    """One in which every family has a sample."""
    ledger = Ledger()
    ledger.note_exit(tally(5), "recycled")
    sights = {
        pid: Sight(9, 3, 1, 2, (), 10, 5, by_state={"idle": 4}, tally=tally(4))
        for pid in (101, 102)
    }
    world = started()
    shot = take_snapshot(world.roster, sights, FACTS, ledger, AROUND, world.now)
    return shot | {"certificates": {"shop.example": 2e9}}


def families(shot: dict[str, Any]) -> dict[str, Metric]:
    _, body = Exposition().render(shot, "text/plain")
    return {it.name: it for it in parser.text_string_to_metric_families(body.decode())}


def samples(shot: dict[str, Any]) -> dict[str, set[str]]:
    """The labels of each name that a query may use."""
    return {
        sample.name: set(sample.labels)
        for family in families(shot).values()
        for sample in family.samples
    }


def dashboard_queries() -> Iterator[str]:
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            name, label = re.fullmatch(
                r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", variable["query"]["query"]
            ).groups()  # type: ignore[union-attr]
            yield f"sum by ({label}) ({name})"


def alert_queries() -> Iterator[str]:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]


QUERIES = [*dashboard_queries(), *alert_queries()]


def names_in(query: str) -> set[str]:
    """The names of metrics: words that are no label, no value and not PromQL's own."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\bby\s*\([^)]*\)|\"[^\"]*\"", " ", query)
    return set(re.findall(r"[a-z_][a-z0-9_]*", bare)) - WORDS


def labels_in(query: str) -> set[str]:
    """The labels that it chooses or groups by."""
    chosen = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", query)
    grouped = re.findall(r"\bby\s*\(([^)]*)\)", query)
    return {*chosen, *(label.strip() for found in grouped for label in found.split(","))}


def unknown_in(query: str, known: dict[str, set[str]]) -> set[str]:
    names = names_in(query) - OF_PROMETHEUS
    labels = set().union(*(known.get(name, set()) for name in names)) | LABELS_OF_PROMETHEUS
    return (names - set(known)) | (labels_in(query) - labels)


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_asks_for_what_is_exposed(query):
    assert names_in(query), "it asks for something"
    assert not unknown_in(query, samples(snapshot()))


@pytest.mark.parametrize(
    "query",
    ["sum by (colour) (canter_threads)", "canter_thread", 'rate(canter_threads{worker="1"}[5m])'],
)
def test_a_wrong_name_or_label_would_be_seen(query):
    assert unknown_in(query, samples(snapshot()))


def test_every_family_is_on_the_dashboard_or_in_a_rule():
    asked = set().union(*map(names_in, QUERIES))
    for name, family in families(snapshot()).items():
        assert asked & {sample.name for sample in family.samples}, f"nobody asks for {name}"


def test_every_family_is_described_and_has_its_unit_or_kind_in_its_name():
    for name, family in families(snapshot()).items():
        assert family.documentation.endswith("."), name
        assert name.startswith("canter_"), name


def test_the_panels_of_the_dashboard_have_numbers_of_their_own_and_do_not_overlap():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def test_what_can_happen_is_zero_before_it_happens():
    shot = snapshot()
    found = families(shot)
    requests = {it.labels["status"]: it.value for it in found["canter_requests"].samples}
    assert requests == {"2xx": 13, "3xx": 0, "4xx": 0, "5xx": 0}
    exits = {it.labels["cause"]: it.value for it in found["canter_worker_exits"].samples}
    assert exits["recycled"] == 1
    assert exits["sigkill"] == 0
    states = {it.labels["state"]: it.value for it in found["canter_workers"].samples}
    assert states == {"booting": 0, "ready": 0, "serving": 2, "draining": 0}
    assert [worker["pid"] for worker in workers_of(shot)] == [101, 102]


def test_metrics_that_cannot_be_made_are_told_of_once_and_shown_as_soon_as_they_can_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """A file of the application's own metrics may be broken, and may go away."""
    placard = Placard(100_000)
    site = Site(lambda: Exposition(str(tmp_path)), placard)
    broken = tmp_path / "counter_1.db"
    # One entry, whose key should be JSON.
    broken.write_bytes(
        struct.pack("<ii", 40, 0) + struct.pack("<i12sdd", 12, b"no such key ", 1, 1)
    )
    for _ in range(3):
        site.take(json.dumps(snapshot()))
    assert placard.read() == b""
    assert [record.getMessage() for record in caplog.records] == ["the metrics cannot be written"]
    broken.unlink()
    site.take(json.dumps(snapshot()))
    assert b"canter_utilization" in placard.read()
