"""The files of a process, each told once, also those of a failed import."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

import pytest

from canter.worker.messages import MAX_FILES_PER_MESSAGE, Watch
from canter.worker.sources import SourceFiles


def files_in(messages: list[Watch]) -> list[str]:
    return [file for message in messages for file in message.files]


def test_files_of_imported_modules_are_told_once():
    sources = SourceFiles()
    first = files_in(sources.changes())
    assert __file__ in first
    assert len(first) == len(set(first))
    assert sources.changes() == []


def test_a_module_imported_later_is_told_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sources = SourceFiles()
    sources.changes()
    (tmp_path / "came_later.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "came_later", raising=False)
    importlib.import_module("came_later")
    assert files_in(sources.changes()) == [str(tmp_path / "came_later.py")]
    del sys.modules["came_later"]


def test_modules_without_a_file_do_not_matter(monkeypatch: pytest.MonkeyPatch):
    odd = types.ModuleType("odd")
    odd.__file__ = 5  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "odd", odd)
    monkeypatch.setitem(sys.modules, "none", None)
    assert all(isinstance(file, str) for file in files_in(SourceFiles().changes()))


def test_many_files_go_in_several_messages():
    messages = SourceFiles().changes()
    assert all(0 < len(message.files) <= MAX_FILES_PER_MESSAGE for message in messages)


def test_the_file_with_the_syntax_error_is_told(tmp_path: Path):
    sources = SourceFiles()
    sources.changes()
    broken = tmp_path / "broken.py"
    with pytest.raises(SyntaxError) as caught:
        compile("def (", str(broken), "exec")
    assert str(broken) in files_in(sources.changes(caught.value))


def test_files_on_the_traceback_and_of_causes_are_told(tmp_path: Path):
    sources = SourceFiles()
    sources.changes()
    inner = tmp_path / "inner.py"
    code = compile("raise KeyError('x')", str(inner), "exec")

    def fail() -> None:
        try:
            exec(code, {})
        except KeyError as error:
            raise RuntimeError("outer") from error

    with pytest.raises(RuntimeError) as caught:
        fail()
    assert str(inner) in files_in(sources.changes(caught.value))
