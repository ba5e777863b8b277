"""The page about the access log names every atom and every outcome that there is."""

from __future__ import annotations

import pytest

from canter.observe.access_format import ATOM_NAMES, DEFAULT_FORMAT
from canter.observe.outcomes import Outcome
from tests.architecture.sources import ROOT

PAGE = ROOT / "docs" / "access-log.md"


@pytest.mark.parametrize("name", sorted(ATOM_NAMES))
def test_every_atom_is_documented(name):
    assert f"| `%({name})s` |" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_documented(outcome):
    assert f"| `{outcome.value}` |" in PAGE.read_text(encoding="utf-8")


def test_the_default_format_is_documented():
    assert DEFAULT_FORMAT in PAGE.read_text(encoding="utf-8")
