"""What `canter top` shows: lines of styled words from snapshots. Pure.

A line is a list of (text, style); the styles are those of `STYLES`. Columns have fixed widths, so
that numbers that change do not move what stands beside them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from canter.cli.status import duration
from canter.observe.meter import BOUNDS_SECONDS

Line: TypeAlias = list[tuple[str, str]]

STYLES: Final = ("", "dim", "bold", "red", "yellow", "green", "reverse")
PLAIN_BARS: Final = ("#", ".")
BARS: Final = ("█", "░")
NOTED_SHOWN: Final = 6
_BAR_WIDTH = 8
_MEBIBYTE = 1 << 20
_FAILURE = 500
_SLOW_SECONDS = 1.0
_NARROWEST = 60
_WIDE = 100

SORTS: Final[Mapping[str, tuple[str, str]]] = {
    "p": ("pid", "worker"),
    "b": ("busy", "threads"),
    "n": ("requests", "requests"),
    "c": ("connections", "conns"),
    "m": ("resident_bytes", "memory"),
    "a": ("age_seconds", "age"),
}
"""Keys that sort the workers: what by, and the column's heading."""


@dataclass(frozen=True, slots=True)
class View:
    """How it is looked at. order: a key of SORTS; chosen: the call that the cursor is on."""

    width: int = 100
    height: int = 1000
    order: str = "p"
    reverse: bool = False
    chosen: tuple[int, int] | None = None
    stack: str | None = None
    trouble: str = ""
    bars: tuple[str, str] = BARS
    is_live: bool = False


def calls_of(snapshot: Any) -> list[tuple[int, Any]]:
    """The calls that go on, each with its worker, the longest first."""
    found = [
        (worker["pid"], call)
        for generation in snapshot["generations"]
        for worker in generation["workers"]
        for call in worker["running"]
    ]
    return sorted(found, key=lambda it: -it[1]["age_seconds"])


def picture(snapshot: Any, before: Any, view: View) -> list[Line]:
    """Everything, cut to the view's height. before: an older snapshot for rates, or None."""
    lines = [_title(snapshot, view), *_figures(snapshot, before, view), []]
    workers = _workers(snapshot, view)
    footer = [_footer(view)] if view.is_live else []
    room = view.height - len(lines) - len(footer)
    if view.stack is not None:
        below = [_heading("stack", view)] + [[(line, "")] for line in view.stack.splitlines()]
        # Its end is the innermost call.
        below = [below[0], *below[1:][-max(room - 1, 1) :]]
        return _filled(lines + below, footer, view)
    noted = _noted(snapshot, view)
    most_workers = max(room // 3, 3)
    if len(workers) > most_workers + 1:
        hidden = len(workers) - most_workers
        workers = [*workers[:most_workers], [(f"  and {hidden} more", "dim")]]
    lines += [*workers, []]
    rest = view.height - len(lines) - len(footer) - len(noted) - 3
    lines += [*_running(snapshot, view, max(rest, 1)), [], *noted]
    story = snapshot["events"][-1:]
    if story:
        style = "" if story[0]["kind"] == "live" else "red"
        lines += [[], [(f"{_clock(story[0]['at'])}  ", "dim"), (story[0]["text"], style)]]
    return _filled(lines, footer, view)


def _filled(lines: list[Line], footer: list[Line], view: View) -> list[Line]:
    """With the footer in the last row of a live view."""
    if not view.is_live:
        return lines
    room = max(view.height - len(footer), 1)
    return lines[:room] + [[] for _ in range(room - len(lines))] + footer


# ------------------------------------------------------------------------------------- the top


def _title(snapshot: Any, view: View) -> Line:
    phase = snapshot["phase"]
    where = ", ".join(snapshot["addresses"]) or "no address"
    line: Line = [
        (f"canter {snapshot['version']}  ", "bold"),
        (phase, "green" if phase == "running" else "yellow"),
        (f"  {snapshot['application']} at {where}  up {duration(snapshot['age_seconds'])}", ""),
    ]
    if view.trouble:
        line = [*line[:1], (view.trouble, "red")]
    return line


def _figures(snapshot: Any, before: Any, view: View) -> list[Line]:
    seconds = snapshot["age_seconds"] if before is None else snapshot["at"] - before["at"]
    seconds = max(seconds, 0.001)
    all_now, failed_now = _counted(snapshot)
    all_then, failed_then = (0, 0) if before is None else _counted(before)
    times = snapshot["totals"]["times"]["application"]["counts"]
    if before is not None:
        old = before["totals"]["times"]["application"]["counts"]
        times = [now - then for now, then in zip(times, old, strict=True)]
    load = snapshot["load"]
    failed = max(failed_now - failed_then, 0) / seconds
    connections = sum(load["connections"].values())
    queued = load["queued"]
    rates: Line = [
        ("requests/s ", "dim"),
        (f"{max(all_now - all_then, 0) / seconds:<9.1f}", "bold"),
        ("failed/s ", "dim"),
        (f"{failed:<8.1f}", "red" if failed else ""),
        ("median ", "dim"),
        (f"{_percentile(times, 0.5):<9}", ""),
        ("p99 ", "dim"),
        (f"{_percentile(times, 0.99):<9}", ""),
    ]
    if before is None:
        rates.append(("since the start", "dim"))
    use: Line = [
        ("threads    ", "dim"),
        *_bar(load["busy"], load["threads"], view),
        (f" {load['busy']:>4} of {load['threads']:<5}", ""),
        ("queued ", "dim"),
        (f"{queued:<9}", "yellow" if queued else ""),
        ("connections ", "dim"),
        (str(connections), ""),
    ]
    return [rates, use]


def _counted(snapshot: Any) -> tuple[int, int]:
    """How many requests, and how many of them failed."""
    classes = snapshot["totals"]["requests"].values()
    return (
        sum(sum(counts.values()) for counts in classes),
        sum(counts.get("5xx", 0) for counts in classes),
    )


def _percentile(counts: Sequence[int], share: float) -> str:
    total = sum(counts)
    if not total:
        return "-"
    seen = 0
    for count, bound in zip(counts, BOUNDS_SECONDS, strict=False):
        seen += count
        if seen >= share * total:
            return _took(bound)
    return f"> {_took(BOUNDS_SECONDS[-1])}"


def _bar(busy: int, threads: int, view: View) -> Line:
    cells = min(threads, _BAR_WIDTH)
    full = -(-busy * cells // threads) if threads else 0
    style = "red" if busy and busy >= threads else "yellow"
    return [
        (view.bars[0] * full, style),
        (view.bars[1] * (cells - full), "dim"),
        (" " * (_BAR_WIDTH - cells), ""),
    ]


# ---------------------------------------------------------------------------------- the tables


def _workers(snapshot: Any, view: View) -> list[Line]:
    field, _ = SORTS[view.order]
    workers = [
        {**worker, "busy": len(worker["running"]), "generation": generation["number"]}
        for generation in snapshot["generations"]
        for worker in generation["workers"]
    ]
    # What is most is what is looked for; process numbers are just names.
    descending = (field != "pid") != view.reverse
    workers.sort(key=lambda it: (it[field], it["pid"]), reverse=descending)
    is_wide = view.width >= _WIDE
    columns = [
        (f"{'worker':>9}", "p"),
        (f"{'deploy':>8}  ", ""),
        (f"{'state':<10}", ""),
        (f"{'threads':<17}", "b"),
        (f"{'requests':>10}", "n"),
        *([(f"{'conns':>7}", "c"), (f"{'queued':>8}", "")] if is_wide else []),
        (f"{'memory':>12}", "m"),
        (_age("age", view), "a"),
    ]
    head: Line = [
        (text, "bold" if view.is_live and key == view.order else "dim") for text, key in columns
    ]
    return [head, *(_worker(worker, view) for worker in workers)]


def _age(text: str, view: View) -> str:
    return f"{text:>17}" if view.width >= _WIDE else f"{text:>12}"


def _worker(worker: Any, view: View) -> Line:
    state = worker["state"]
    styles = {"serving": "green", "draining": "yellow"}
    memory = worker["resident_bytes"]
    waiting: Line = [
        (f"{worker['connections']:>7}", ""),
        (f"{worker['queued']:>8}", "yellow" if worker["queued"] else ""),
    ]
    return [
        (f"{worker['pid']:>9}{worker['generation']:>8}  ", ""),
        (f"{state:<10.10}", styles.get(state, "")),
        *_bar(worker["busy"], worker["threads"], view),
        (f"{worker['busy']:>4}/{worker['threads']:<4}", ""),
        (f"{worker['requests']:>10}", ""),
        *(waiting if view.width >= _WIDE else ()),
        (f"{memory / _MEBIBYTE:>8.1f} MiB" if memory else f"{'?':>12}", ""),
        (_age(duration(worker["age_seconds"]), view), ""),
    ]


def _running(snapshot: Any, view: View, most: int) -> list[Line]:
    wide = max(view.width, _NARROWEST) - 32
    calls = calls_of(snapshot)
    title = f"running now: {len(calls)}" if len(calls) > most else "running now"
    head: Line = [(f"  {title:<{wide}}{'worker':>9}{'thread':>8}{'for':>13}", "dim")]
    if not calls:
        return [head, [("  nothing", "dim")]]
    at = next((i for i, it in enumerate(calls) if key_of(it) == view.chosen), 0)
    first = max(0, min(at - most // 2, len(calls) - most))
    lines: list[Line] = [head]
    for pid, call in calls[first : first + most]:
        is_chosen = (pid, call["thread"]) == view.chosen
        age = call["age_seconds"]
        slow = "yellow" if age >= _SLOW_SECONDS else ""
        base = "reverse" if is_chosen else ""
        lines.append(
            [
                (f"{'> ' if is_chosen else '  '}{_cut(call['request'], wide - 1):<{wide}}", base),
                (f"{pid:>9}{call['thread']:>8}", base),
                (f"{duration(age):>13}", base or slow),
            ]
        )
    return lines


def key_of(call: tuple[int, Any]) -> tuple[int, int]:
    """A call as `View.chosen` names it."""
    return call[0], call[1]["thread"]


def _noted(snapshot: Any, view: View) -> list[Line]:
    wide = max(view.width, _NARROWEST) - 50
    head: Line = [
        (f"  {'slow and failed':<{wide}}{'status':>7}  {'outcome':<10}{'took':>10}", "dim"),
        (f"{'worker':>9}{'ended':>10}", "dim"),
    ]
    lines = [head]
    for it in snapshot["noted"][:NOTED_SHOWN]:
        is_bad = it["status"] >= _FAILURE or it["outcome"] != "ok"
        lines.append(
            [
                (f"  {_cut(it['request'], wide - 1):<{wide}}", ""),
                (f"{it['status'] or '-':>7}  {it['outcome']:<10}", "red" if is_bad else ""),
                (f"{_took(it['seconds']):>10}", "" if is_bad else "yellow"),
                (f"{it['pid']:>9}{_clock(it['at']):>10}", ""),
            ]
        )
    return lines if len(lines) > 1 else [head, [("  none", "dim")]]


def _heading(text: str, view: View) -> Line:
    return [(f"{text} {'-' * max(view.width - len(text) - 2, 0)}", "dim")]


def _footer(view: View) -> Line:
    if view.stack is not None:
        return [("Esc", "bold"), (" back   ", "dim"), ("q", "bold"), (" quit", "dim")]
    line: Line = [("q", "bold"), (" quit  ", "dim"), ("j/k", "bold"), (" choose  ", "dim")]
    line += [("Enter", "bold"), (" stack  sort:", "dim")]
    for key, (_, name) in SORTS.items():
        line += [(f" {key}", "bold"), (f" {name}", "bold" if key == view.order else "dim")]
    return line


def _took(seconds: float) -> str:
    if seconds < 0.001:
        return "< 1 ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(width - 3, 0)]}..."
