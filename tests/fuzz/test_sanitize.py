"""The sanitizers' run: what counts as a report, and that the planted errors are found."""

from __future__ import annotations

import pytest

from fuzz import sanitize


def reports(folder, errors="", **files):
    (folder / sanitize.ERRORS).write_text(errors)
    for name, text in files.items():
        (folder / name).write_text(text)
    return sanitize.written(folder)


def test_no_file_and_a_quiet_standard_error_are_no_report(tmp_path):
    assert reports(tmp_path) == ""


def test_what_tests_write_to_the_standard_error_is_no_report(tmp_path):
    assert reports(tmp_path, "Traceback (most recent call last):\nRuntimeError: on purpose\n") == ""


def test_undefined_behaviour_is_reported_by_the_standard_error(tmp_path):
    line = "wire.c:4:31: runtime error: shift exponent 40 is too large for 32-bit type 'int'\n"
    assert line in reports(tmp_path, "noise\n" + line)


def test_every_process_has_a_report_of_its_own(tmp_path):
    found = reports(tmp_path, **{"report.1": "heap-use-after-free", "report.2": "SEGV"})
    assert found == "heap-use-after-free\nSEGV"


def test_a_compiler_that_is_not_there_is_a_clear_error(monkeypatch):
    monkeypatch.setenv("CC", "/no/such/compiler")
    with pytest.raises(sanitize.NotBuilt, match="cannot be asked for libasan"):
        sanitize.runtime("libasan.so")


def test_both_planted_errors_are_found(tmp_path):
    try:
        sanitize.runtime("libasan.so")
        sanitize.runtime("libubsan.so")
    except sanitize.NotBuilt as absent:
        pytest.skip(str(absent))
    sanitize.prove_watchful(tmp_path)
    (control,) = tmp_path.iterdir()
    assert "heap-buffer-overflow" in sanitize.written(control)


def test_sanitizers_that_see_nothing_are_not_trusted(tmp_path, monkeypatch):
    try:
        sanitize.runtime("libasan.so")
    except sanitize.NotBuilt as absent:
        pytest.skip(str(absent))
    monkeypatch.setattr(sanitize, "CONTROL", "print('nothing is called')")
    with pytest.raises(sanitize.NotBuilt, match="a planted heap-buffer-overflow was not reported"):
        sanitize.prove_watchful(tmp_path)
