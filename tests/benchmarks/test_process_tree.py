"""Reading /proc: fields, trees, and what this very process has used."""

from __future__ import annotations

import os

from benchmarks import process_tree


def test_a_process_name_may_hold_anything():
    fields = process_tree.stat_fields("42 (a (b) c) S 1 42 42 0 -1")
    assert fields[:2] == ["S", "1"]


def test_a_tree_is_the_root_and_all_its_descendants():
    parent_of = {1: 0, 10: 1, 11: 10, 12: 11, 20: 1}
    assert process_tree.tree_of(10, parent_of) == [10, 11, 12]


def test_a_living_process_is_in_its_own_tree_and_has_used_time_and_memory():
    assert process_tree.tree(os.getpid())[0] == os.getpid()
    assert process_tree.processor_seconds(os.getpid()) > 0
    assert process_tree.memory_mib(os.getpid()) > 1
    assert process_tree.peak_mib(os.getpid()) > 1
