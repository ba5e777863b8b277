"""The end of a process: exit functions run, threads are waited for, and nothing holds it up."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

PREAMBLE = """
import atexit, os, sys, threading, time
from canter.observe.logs import ErrorLog
from canter.worker.leaving import forget_inherited_exit_functions, leave
log = ErrorLog("-", "info")
"""


def run(source: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(source)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_exit_functions_run_and_output_is_flushed():
    done = run("""
        atexit.register(print, "goodbye")
        print("hello")
        leave(7, 10, log, wait_for_threads=True)
    """)
    assert (done.returncode, done.stdout, done.stderr) == (7, "hello\ngoodbye\n", "")


def test_threads_of_the_application_finish_first():
    done = run("""
        def work():
            time.sleep(0.2)
            print("worked")
        atexit.register(print, "goodbye")
        threading.Thread(target=work).start()
        leave(0, 30, log, wait_for_threads=True)
    """)
    assert (done.returncode, done.stdout) == (0, "worked\ngoodbye\n")


def test_a_stuck_thread_is_not_waited_for():
    begun = time.monotonic()
    done = run("""
        threading.Thread(target=time.sleep, args=[100]).start()
        atexit.register(print, "goodbye")
        leave(0, 30, log, wait_for_threads=False)
    """)
    assert (done.returncode, done.stdout) == (0, "goodbye\n")
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("stuck", ["atexit.register(time.sleep, 100)", "thread.start()"])
def test_nothing_holds_it_beyond_its_time(stuck: str):
    begun = time.monotonic()
    done = run(f"""
        thread = threading.Thread(target=time.sleep, args=[100])
        {stuck}
        leave(5, 0.2, log, wait_for_threads=True)
    """)
    assert done.returncode == 5
    assert time.monotonic() - begun < 20


def test_an_exit_function_that_fails_changes_nothing():
    done = run("""
        def fail():
            raise SystemExit(9)
        atexit.register(print, "goodbye")
        atexit.register(fail)
        leave(0, 10, log, wait_for_threads=True)
    """)
    assert done.returncode == 0
    assert "goodbye" in done.stdout


def test_the_supervisors_exit_functions_are_not_run_by_its_workers():
    done = run("""
        atexit.register(print, "supervisor's")
        forget_inherited_exit_functions()
        atexit.register(print, "worker's")
        leave(0, 10, log, wait_for_threads=True)
    """)
    assert done.stdout == "worker's\n"


def test_closed_streams_do_not_matter():
    done = run("""
        sys.stdout = None
        sys.stderr.close()
        leave(3, 10, log, wait_for_threads=True)
    """)
    assert done.returncode == 3
