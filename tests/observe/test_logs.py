"""The error log: Gunicorn's line format, rotation, capture, and destinations that fail."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from canter.errors import ConfigError
from canter.observe import logs
from canter.observe.logs import ClientFaultLog, ErrorLog, LineHandler
from canter.observe.repeats import RepeatLimiter

LINE = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[(\d+)\] \[([A-Z]+)\] (.*)")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "error.log"


@pytest.fixture(autouse=True)
def propagation_is_restored() -> Iterator[None]:
    yield
    logging.getLogger("canter.error").propagate = True


@pytest.fixture
def error_log(path: Path) -> Iterator[ErrorLog]:
    log = ErrorLog(str(path), "info")
    yield log
    log.close()


def messages(path: Path) -> list[str]:
    matches = [LINE.fullmatch(line) for line in path.read_text().splitlines()]
    return [match[3] for match in matches if match]


def run(code: str) -> subprocess.CompletedProcess[str]:
    source = Path(logs.__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        text=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(source)},
    )


def test_a_line_looks_as_gunicorns(error_log, path):
    error_log.logger.info("listening at %s", "http://127.0.0.1:8000")
    match = LINE.fullmatch(path.read_text().rstrip("\n"))
    assert match
    assert match.groups() == (str(os.getpid()), "INFO", "listening at http://127.0.0.1:8000")


def test_lines_below_the_level_are_not_written(error_log, path):
    error_log.logger.debug("quiet")
    error_log.set_level("debug")
    error_log.logger.debug("loud")
    assert messages(path) == ["loud"]


def test_a_traceback_keeps_its_lines(error_log, path):
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        error_log.logger.exception("the application raised")
    lines = path.read_text().splitlines()
    assert lines[0].endswith("[ERROR] the application raised")
    assert lines[-1] == "RuntimeError: broken"


def test_control_characters_cannot_play_with_a_terminal(error_log, path):
    error_log.logger.info("\x1b[2J\r\x07\x9b and tab\tand\nline")
    assert path.read_text().endswith("] \\x1b[2J\\x0d\\x07\\x9b and tab\tand\nline\n")


def test_a_message_that_cannot_be_formatted_is_still_logged(path):
    log = ErrorLog(str(path), "info")
    log.logger.info("%d things", "many")
    log.close()
    assert messages(path) == ["(this message could not be formatted) '%d things'"]


def test_text_that_cannot_be_encoded_is_still_logged(path):
    log = ErrorLog(str(path), "info")
    # Given to the handler itself: a report of this test that held such text could not be sent on.
    record = {"levelno": logging.INFO, "levelname": "INFO", "msg": "a lone surrogate: \udcff"}
    log.logger.handlers[-1].handle(logging.makeLogRecord(record))
    log.close()
    assert messages(path) == [r"a lone surrogate: \udcff"]


def test_reopening_follows_a_rotation(error_log, path, tmp_path):
    error_log.logger.info("old")
    path.rename(tmp_path / "error.log.1")
    error_log.reopen()
    error_log.logger.info("new")
    assert path.read_text().endswith("new\n")
    assert (tmp_path / "error.log.1").read_text().endswith("old\n")


def test_a_reopening_that_fails_is_said_in_the_old_file(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    log = ErrorLog(str(folder / "log"), "info")
    folder.rename(tmp_path / "moved")
    log.reopen()
    log.close()
    assert "cannot be reopened: No such file or directory" in (tmp_path / "moved/log").read_text()


def test_an_unknown_level_is_a_clear_message(path):
    with pytest.raises(ConfigError, match="loglevel: 'loud' is none of debug, info"):
        ErrorLog(str(path), "loud")


def test_a_file_that_cannot_be_opened_is_a_clear_message(tmp_path):
    with pytest.raises(ConfigError, match=r"errorlog: .* cannot be opened: No such file"):
        ErrorLog(str(tmp_path / "missing" / "log"), "info")


def test_setting_up_again_replaces_the_destination(error_log, path, tmp_path):
    second = ErrorLog(str(tmp_path / "second.log"), "info")
    second.logger.info("once")
    second.close()
    assert path.read_text() == ""
    assert (tmp_path / "second.log").read_text().count("once") == 1


def test_lines_do_not_reach_the_root_logger(error_log):
    seen: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = seen.append  # type: ignore[assignment]
    logging.getLogger().addHandler(handler)
    error_log.logger.warning("ours alone")
    logging.getLogger().removeHandler(handler)
    assert seen == []


def test_handlers_that_others_attached_are_left_alone(path):
    theirs = logging.NullHandler()
    logger = logging.getLogger("canter.error")
    logger.addHandler(theirs)
    ErrorLog(str(path), "info").close()
    assert theirs in logger.handlers
    logger.removeHandler(theirs)


def test_the_file_can_be_given_away(error_log, path):
    error_log.give_to(os.getuid(), os.getgid())
    assert path.stat().st_uid == os.getuid()


def test_a_dash_is_standard_error():
    ended = run("from canter.observe.logs import ErrorLog; ErrorLog('-', 'info').logger.info('hi')")
    assert ended.stderr.endswith("[INFO] hi\n")
    assert ended.stdout == ""


def test_a_closed_standard_error_is_survived():
    ended = run(
        "import os; os.close(2)\n"
        "from canter.observe.logs import ErrorLog\n"
        "log = ErrorLog('-', 'info'); log.logger.info('hi'); log.close(); print('alive')"
    )
    assert (ended.returncode, ended.stdout) == (0, "alive\n")


def test_captured_output_goes_to_the_file_also_after_a_rotation(path):
    ended = run(
        "import os, sys\n"
        "from canter.observe.logs import ErrorLog\n"
        f"path = {str(path)!r}\n"
        "log = ErrorLog(path, 'info', capture_output=True)\n"
        "print('printed'); sys.stdout.flush(); os.system('echo from a child')\n"
        "os.rename(path, path + '.1'); log.reopen()\n"
        "print('printed later', file=sys.stderr); log.close()"
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert Path(f"{path}.1").read_text() == "printed\nfrom a child\n"
    assert path.read_text() == "printed later\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_lines_lost_to_a_full_disk_are_said_when_it_works_again(path):
    path.symlink_to("/dev/full")
    log = ErrorLog(str(path), "info")
    for _ in range(2500):
        log.logger.info("x" * 1000)
    path.unlink()
    log.reopen()
    log.logger.info("it works again")
    log.close()
    lines = path.read_text().splitlines()
    assert lines[-2].endswith("it works again")
    match = re.search(
        r"\[WARNING\] error log: (\d+) lines were dropped while .* No space", lines[-1]
    )
    assert match
    assert int(match[1]) + len(lines) - 2 == 2500


def test_flushing_offers_again_what_was_not_taken():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    log = ErrorLog(f"/proc/self/fd/{writing}", "info")
    while not log._handler.sink.backlog_bytes:
        log.logger.info("x" * 1000)
    os.read(reading, 1 << 20)
    log.flush()
    assert not log._handler.sink.backlog_bytes
    log.close()
    os.close(reading)
    os.close(writing)


def test_a_clients_fault_is_one_line_that_names_it(error_log, path):
    ClientFaultLog(error_log.logger).report("malformed head", "192.0.2.7", "no colon", 0.0)
    assert messages(path) == ["malformed head from 192.0.2.7: no colon"]


def test_a_flood_of_faults_is_summed_up(error_log, path):
    faults = ClientFaultLog(error_log.logger, RepeatLimiter(lines=2, window_seconds=10))
    for _ in range(100):
        faults.report("malformed head", "", "no colon", 0.0)
    faults.tick(5.0)
    faults.tick(10.0)
    assert messages(path) == [
        "malformed head from a local client: no colon",
        "malformed head from a local client: no colon",
        "98 more like it in 10s: malformed head",
    ]


def test_the_sum_is_said_before_the_next_line_and_at_the_end(error_log, path):
    faults = ClientFaultLog(error_log.logger, RepeatLimiter(lines=1, window_seconds=10))
    for now in (0.0, 1.0, 12.0, 13.0):
        faults.report("bad", "a", f"at {now}", now)
    faults.close(14.0)
    assert messages(path) == [
        "bad from a: at 0.0",
        "1 more like it in 12s: bad",
        "bad from a: at 12.0",
        "1 more like it in 2s: bad",
    ]


def test_faults_cost_nothing_where_they_are_not_shown(error_log, path):
    error_log.set_level("warning")
    ClientFaultLog(error_log.logger).report("bad", "a", "b", 0.0)
    assert path.read_text() == ""


def lines(logger: logging.Logger) -> list[logging.Handler]:
    """Its handlers without those that the test runner adds to loggers that do not propagate."""
    return [handler for handler in logger.handlers if isinstance(handler, LineHandler)]


def test_what_applications_log_to_gunicorn_s_logger_goes_to_the_same_place(tmp_path):
    log = ErrorLog(str(tmp_path / "error.log"), "info")
    gunicorn = logging.getLogger("gunicorn.error")
    gunicorn.debug("not this")
    gunicorn.info("as the framework's documentation shows")
    assert lines(gunicorn) == lines(log.logger) != []
    log.set_level("debug")
    assert gunicorn.level == logging.DEBUG
    log.close()
    assert lines(gunicorn) == []
    assert "framework's documentation shows" in (tmp_path / "error.log").read_text()
