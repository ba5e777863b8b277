"""Outcomes are words in a log: short, distinct, documented."""

from __future__ import annotations

import inspect

from canter.observe import outcomes
from canter.observe.outcomes import Outcome


def test_every_outcome_is_one_lower_case_word():
    assert all(outcome.value.isalpha() and outcome.value.islower() for outcome in Outcome)


def test_every_outcome_says_what_it_means():
    source = inspect.getsource(outcomes)
    for outcome in Outcome:
        assert f'{outcome.name} = "{outcome.value}"\n    """' in source
