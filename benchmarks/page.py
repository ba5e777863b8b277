"""Renders a run as docs/benchmarks.md with its plots: the figures, and above all what is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import svg, targets
from benchmarks.figures import (
    FLOOR,
    LOGGING,
    NOISE,
    OURS,
    is_clean,
    is_peer,
    losses,
    median,
    ours_beside,
    paired_ratio,
    ranked,
    spread,
)
from benchmarks.metrics import Metric
from benchmarks.results import Report, ScenarioResult, Series
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.sides import SIDES

PLOTS = "benchmarks"  # the folder of the plots beside the page
NOTHING = "-"
MARKED = "gunicorn-gthread"  # what most who come to canter run today

METHOD = """\
- Ratios within one run are what this page is about; absolute figures belong to one machine.
- All servers of a scenario run at the same time, all but one idle, and are measured in turn in
  several short rounds that each begin with another server. A figure is the median of its rounds;
  a ratio is the median of the ratios within the same rounds; ± is half the range of the rounds.
- Where one worker is measured, the server has one core and the client another.
- µs/request is processor time of the whole process tree, user and system, for each answered
  request. It stays meaningful where the client is slower than the server, as it is for the
  fastest: requests/s is then the client's limit.
- Each server is probed before and after each round, and its answer read and compared; during a
  round refused or broken connections, statuses other than 2xx and 3xx, time-outs and answers of a
  wrong size are counted. A side with any error comes last and is never called ahead. So is what
  PEP 3333 asks of a server and one leaves out, where that saves the work that is measured.
- wrk asks again as soon as it is answered. Where quick requests run beside slow ones both come at
  random times, the same for every server, and each is timed from when it was due, so that waiting
  is not hidden.
"""


def number(value: float) -> str:
    """A figure with three digits that mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(headings) + " |"]
    lines.append("|" + "|".join([" --- "] + [" ---: "] * (len(headings) - 1)) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def _errors(series: Series) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(series.errors().items()))


def _kind(series: Series) -> svg.Kind:
    if not is_clean(series):
        return svg.Kind.FLAWED
    if series.side == FLOOR:
        return svg.Kind.FLOOR
    return svg.Kind.PEER if is_peer(series) else svg.Kind.OURS


def _cell(series: Series, metric: Metric, *, headline: bool) -> str:
    values = series.readings(metric.key)
    middle, width = median(values), spread(values)
    if middle is None:
        return NOTHING
    return f"{number(middle)} ±{width:.0%}" if headline and width is not None else number(middle)


def _scenario_table(scenario: Scenario, result: ScenarioResult) -> str:
    rows = []
    for series in ranked(result, scenario.headline):
        name = f"**{series.label}**" if _kind(series) is svg.Kind.OURS else series.label
        cells = [
            _cell(series, metric, headline=metric is scenario.headline)
            for metric in scenario.columns
        ]
        ratio = _ratio_to_ours(scenario.headline, result, series)
        rows.append(
            [name, *cells, f"{ratio:.2f}" if ratio else NOTHING, _errors(series) or NOTHING]
        )
    headings = ["server", *(metric.heading for metric in scenario.columns), "to canter", "errors"]
    return _table(headings, rows)


def _ratio_to_ours(metric: Metric, result: ScenarioResult, series: Series) -> float | None:
    """How many times worse a side was than canter; None where that would say nothing."""
    ours = ours_beside(result, series)
    if ours is None or not is_clean(ours) or not is_clean(series):
        return None
    return paired_ratio(metric, series, ours)


def scenario_plot(scenario: Scenario, result: ScenarioResult) -> str:
    """The bars of a scenario's headline, as SVG."""
    metric = scenario.headline
    rows = []
    for series in ranked(result, metric):
        middle = median(series.readings(metric.key))
        if middle is not None:
            shown = number(middle) + ("" if is_clean(series) else " (errors)")
            rows.append(svg.Bar(series.label, middle, shown, _kind(series)))
    return svg.bars(f"{scenario.title}: {metric.title}", rows)


def _scenario_section(scenario: Scenario, result: ScenarioResult) -> Iterator[str]:
    yield f"### {scenario.title}"
    if scenario.remark:
        yield scenario.remark
    if result.series:
        yield f"![{scenario.headline.title}]({PLOTS}/{scenario.key}.svg)"
        yield _scenario_table(scenario, result)
    if result.left_out:
        reasons = "; ".join(f"{name}: {why}" for name, why in result.left_out.items())
        yield f"Left out: {reasons}."


def overview_plot(report: Report) -> str:
    """How many times more than canter each other side needs, over all scenarios, as SVG."""
    rows = []
    for scenario, result in _measured(report):
        marks = []
        for series in filter(is_peer, result.series):
            ratio = _ratio_to_ours(scenario.headline, result, series)
            if ratio is not None:
                marked = series.side.removesuffix(LOGGING) == MARKED
                kind = svg.Kind.MARKED if marked else svg.Kind.PEER
                marks.append(svg.Dot(series.label, ratio, kind))
        rows.append((scenario.key, sorted(marks, key=lambda dot: dot.kind is svg.Kind.MARKED)))
    axis = "how many times worse than canter (left of 1: better); orange: Gunicorn gthread"
    return svg.dots("Every peer beside canter", axis, rows)


def _measured(report: Report) -> Iterator[tuple[Scenario, ScenarioResult]]:
    for scenario in SCENARIOS:
        result = report.of(scenario.key)
        if result is not None:
            yield scenario, result


def _targets(report: Report) -> str:
    words = {True: "met", False: "**missed**", None: NOTHING}
    rows = []
    for target in targets.TARGETS:
        verdict = targets.judge(target, report)
        rows.append([target.text, verdict.measured, words[verdict.met]])
    return _table(["target", "measured", ""], rows)


def _losses(report: Report) -> str:
    lines = []
    for scenario, result in _measured(report):
        ours = result.of(OURS)
        if ours is None:
            continue
        if not is_clean(ours):
            lines.append(f"- {scenario.title}: canter had errors ({_errors(ours)}).")
        ahead = losses(result, scenario.headline)
        if ahead:
            names = ", ".join(f"{loss.peer} ({loss.ratio:.2f} times better)" for loss in ahead)
            lines.append(f"- {scenario.title}, {scenario.headline.title}: {names}.")
    if not lines:
        return f"Nothing by more than the {NOISE:.0%} that count as level."
    return "\n".join(lines)


def _facts(facts: dict[str, str]) -> str:
    return "\n".join(f"- {name}: {text}" for name, text in facts.items())


def _configurations(report: Report) -> Iterator[str]:
    shown: dict[str, Series] = {}
    for _scenario, result in _measured(report):
        for series in result.series:
            shown.setdefault(series.side, series)
    for side in SIDES:
        if side.key in shown:
            yield f"- **{side.label}**. {side.remark}".rstrip() + f"\n  `{shown[side.key].command}`"


def render(report: Report) -> str:
    """The page as Markdown."""
    parts = [
        "# canter beside other servers",
        f"Measured on {report.taken}, revision {report.revision}, by `python -m benchmarks`.",
        f"![Every peer beside canter]({PLOTS}/overview.svg)",
        "## Targets",
        _targets(report),
        "## What canter loses",
        _losses(report),
        "## Method",
        METHOD.rstrip(),
        "## Machine and versions",
        _facts({**report.machine, **report.settings}),
        _facts(report.versions),
    ]
    if report.left_out:
        parts += ["Left out of the whole run:", _facts(report.left_out)]
    parts.append("## Scenarios")
    for scenario, result in _measured(report):
        parts += _scenario_section(scenario, result)
    parts += ["## Configurations", "As in the first scenario that each side took part in."]
    parts.append("\n".join(_configurations(report)))
    return "\n\n".join(parts) + "\n"


def write(report: Report, docs: Path) -> list[Path]:
    """Write the page and its plots under `docs`; returns the files written."""
    texts = {docs / "benchmarks.md": render(report)}
    texts[docs / PLOTS / "overview.svg"] = overview_plot(report)
    for scenario, result in _measured(report):
        if result.series:
            texts[docs / PLOTS / f"{scenario.key}.svg"] = scenario_plot(scenario, result)
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)
