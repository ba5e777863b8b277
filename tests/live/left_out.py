"""Says at the end of a run which live tests were left out, and which package would bring them.

A pytest plug-in of its own, so that it also speaks in the process that only hands out the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.live.programs import missing

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """List the missing programs, with the number of tests that wanted each."""
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    counts = {
        program: sum(f"{program} is not installed" in reason for reason in reasons)
        for program in missing()
    }
    if not any(counts.values()):
        return
    terminalreporter.section("left out")
    for program, bringer in missing().items():
        if counts[program]:
            terminalreporter.write_line(
                f"{counts[program]} live tests need {program}: {bringer} brings it"
            )
