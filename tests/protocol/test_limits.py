"""The defaults are Gunicorn's and strict."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, astuple

import pytest

from canter.protocol.limits import Leniency, Limits


def test_the_limits_of_gunicorn_are_the_defaults():
    limits = Limits()
    assert (limits.request_line, limits.fields, limits.field_size, limits.body) == (
        4094,
        100,
        8190,
        0,
    )


def test_every_leniency_is_off_by_default():
    assert set(astuple(Leniency())) == {False, "drop"}


@pytest.mark.parametrize(
    ("record", "name"), [(Limits(), "fields"), (Leniency(), "header_map"), (Limits(), "body")]
)
def test_the_records_do_not_change(record, name):
    with pytest.raises(FrozenInstanceError):
        setattr(record, name, 1)
