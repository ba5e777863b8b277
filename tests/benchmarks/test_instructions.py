"""Callgrind's files."""

from __future__ import annotations

from benchmarks.instructions import total_of


def test_the_total_of_a_profile_is_its_last_line_of_totals():
    assert total_of("version: 1\nsummary: 12345\n\nfn=main\n1 5\n\ntotals: 12345\n") == 12345


def test_an_empty_profile_counts_nothing():
    assert total_of("") == 0
