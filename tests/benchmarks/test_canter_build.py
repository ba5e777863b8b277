"""Builds are named by what their sources say."""

from __future__ import annotations

import os
import subprocess

import pytest

from benchmarks.canter_build import BuildError, digest_of, source_files, unpack_last_commit


def tree(directory, **texts):
    """A source tree of these modules."""
    package = directory / "src" / "canter"
    package.mkdir(parents=True)
    (directory / "setup.py").write_text("setup()")
    for name, text in texts.items():
        (package / f"{name}.py").write_text(text)
    return directory


def test_equal_trees_have_one_name_wherever_and_whenever_they_were_made(tmp_path):
    one, other = tree(tmp_path / "one", a="1"), tree(tmp_path / "other", a="1")
    os.utime(other / "src" / "canter" / "a.py", (1, 1))
    assert digest_of(one) == digest_of(other)


@pytest.mark.parametrize("texts", [{"a": "2"}, {"b": "1"}, {"a": "1", "b": ""}])
def test_every_difference_gives_another_name(tmp_path, texts):
    assert digest_of(tree(tmp_path / "one", a="1")) != digest_of(tree(tmp_path / "other", **texts))


def test_what_was_built_is_no_source(tmp_path):
    made = tree(tmp_path, a="1")
    before = digest_of(made)
    for name in ("a.so", "a.c"):
        (made / "src" / "canter" / name).write_text("built")
    assert digest_of(made) == before
    assert sorted(map(str, source_files(made))) == ["setup.py", "src/canter/a.py"]


def test_the_last_commit_is_what_was_committed_and_not_what_was_changed_since(tmp_path):
    repository = tree(tmp_path / "repository", a="committed")
    name = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "--quiet"], ["add", "."], [*name, "commit", "--quiet", "-m", "One"]):
        subprocess.run(["git", *command], cwd=repository, check=True)
    (repository / "src" / "canter" / "a.py").write_text("changed")
    unpack_last_commit(repository, tmp_path / "committed")
    assert (tmp_path / "committed" / "src" / "canter" / "a.py").read_text() == "committed"


def test_a_tree_without_a_commit_is_said_to_have_none(tmp_path):
    with pytest.raises(BuildError, match="no last commit"):
        unpack_last_commit(tmp_path, tmp_path / "committed")
