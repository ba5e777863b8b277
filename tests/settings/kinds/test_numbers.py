"""Numbers in all the notations that people write them in."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.settings.kinds import Duration, Integer, OctalMode, PartOfWorkers, Size, Workers


@pytest.mark.parametrize("written", [4, "4", " 4 ", "04"])
def test_a_whole_number_may_be_a_number_or_text(written):
    assert Integer().parse(written) == 4


@pytest.mark.parametrize("written", ["four", "4.0", 4.0, "", None, True, [4], "4 5", "٤", "1_000"])
def test_what_is_no_whole_number_is_named_as_such(written):
    with pytest.raises(ValueError, match="is not a whole number"):
        Integer().parse(written)


@pytest.mark.parametrize(
    ("kind", "written", "bound"),
    [
        (Integer(1), 0, "1 or more"),
        (Integer(), "-1", "0 or more"),
        (Integer(1, 10), 11, "from 1 to 10"),
    ],
)
def test_a_number_out_of_bounds_is_told_the_bounds(kind, written, bound):
    with pytest.raises(ValueError, match=f"is out of bounds; it takes a whole number.*{bound}"):
        kind.parse(written)


def test_bounds_are_included():
    assert Integer(1, 10).parse(1) == 1
    assert Integer(1, 10).parse("10") == 10


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (30, 30.0),
        (1.5, 1.5),
        ("30", 30.0),
        ("1.5", 1.5),
        ("500ms", 0.5),
        ("30s", 30.0),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("1.5h", 5400.0),
        ("2 m", 120.0),
        (0, 0.0),
        ("0.1", 0.1),
    ],
)
def test_a_duration_is_seconds_or_has_a_unit(written, seconds):
    assert Duration().parse(written) == seconds


@pytest.mark.parametrize(
    "written",
    ["soon", "", "1d", "1 2", "1h30m", "s", float("nan"), float("inf"), None, True, "1e3", [1]],
)
def test_what_is_no_duration_is_named_as_such(written):
    with pytest.raises(ValueError, match="is not a duration, such as"):
        Duration().parse(written)


@pytest.mark.parametrize("written", [-1, "-1", "-5s"])
def test_a_duration_is_not_negative(written):
    with pytest.raises(ValueError, match="is too short; it takes 0 or more"):
        Duration().parse(written)


def test_a_time_out_that_cannot_be_switched_off_is_above_zero():
    with pytest.raises(ValueError, match="is too short; it takes more than 0"):
        Duration(zero=False).parse(0)


def test_a_duration_of_more_than_a_year_is_a_mistake():
    with pytest.raises(ValueError, match="longer than a year"):
        Duration().parse("9000h")


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (65536, 65536),
        ("65536", 65536),
        ("64K", 65536),
        ("64k", 65536),
        ("64 KiB", 65536),
        ("1M", 2**20),
        ("2G", 2**31),
        ("1T", 2**40),
        (0, 0),
    ],
)
def test_a_size_is_bytes_or_has_a_unit_of_1024(written, size):
    assert Size().parse(written) == size


@pytest.mark.parametrize("written", ["big", "", "1.5M", "1X", "64KB", 1.5, True, None, "-1"])
def test_what_is_no_size_is_named_as_such(written):
    with pytest.raises(ValueError, match="is not a size, such as"):
        Size().parse(written)


def test_a_size_is_not_negative():
    with pytest.raises(ValueError, match="0 or more"):
        Size().parse(-1)


@pytest.mark.parametrize(
    ("written", "mode"),
    [("0", 0), ("027", 0o27), ("0o660", 0o660), (0o660, 0o660), (0, 0), ("0x17", 0x17)],
)
def test_a_mode_is_octal_text_or_a_number(written, mode):
    assert OctalMode().parse(written) == mode


@pytest.mark.parametrize("written", ["22", "0xg", "rw", "089", "", None, True, 1.0])
def test_text_that_is_not_clearly_octal_is_no_mode(written):
    with pytest.raises(ValueError, match="is not a mode in octal"):
        OctalMode().parse(written)


@pytest.mark.parametrize("written", [660, 755])
def test_decimal_digits_of_a_mode_are_recognised(written):
    with pytest.raises(ValueError, match=rf"did you mean 0o{written}\?"):
        OctalMode().parse(written)


@pytest.mark.parametrize("written", [-1, "07777", 100000])
def test_a_mode_has_nine_bits(written):
    with pytest.raises(ValueError, match="is not within 0 and 0o777"):
        OctalMode().parse(written)


@pytest.mark.parametrize(
    ("written", "workers"), [(4, 4), ("4", 4), ("auto", "auto"), ("AUTO", "auto")]
)
def test_workers_are_a_number_or_auto(written, workers):
    assert Workers().parse(written) == workers


@pytest.mark.parametrize(
    ("written", "workers", "rendered"),
    [
        ("2-8", (2, 8), "2-8"),
        (" 1 - auto ", (1, "auto"), "1-auto"),
        ("AUTO-64", ("auto", 64), "auto-64"),
        ("3-3", 3, "3"),
    ],
)
def test_workers_may_be_a_range(written, workers, rendered):
    assert Workers().parse(written) == workers
    assert Workers().render(workers) == rendered
    assert Workers().parse(rendered) == workers


@pytest.mark.parametrize("written", ["8-2", "0-4", "2-", "2-x", "1-2-3", "2-5000"])
def test_a_range_of_workers_has_two_ends_in_order(written):
    with pytest.raises(ValueError, match=r"before it begins|can serve nothing|neither|too many"):
        Workers().parse(written)


@pytest.mark.parametrize("written", ["many", "", 1.5, None, True])
def test_workers_are_nothing_else(written):
    with pytest.raises(ValueError, match="neither a whole number nor 'auto'"):
        Workers().parse(written)


def test_numbers_beyond_all_sense_are_out_of_bounds():
    with pytest.raises(ValueError, match="out of bounds"):
        Integer().parse(10**30)
    with pytest.raises(ValueError, match="out of bounds"):
        Size().parse("99999999T")
    with pytest.raises(ValueError, match="too many"):
        Workers().parse(5000)


def test_no_worker_can_serve_nothing():
    with pytest.raises(ValueError, match="can serve nothing"):
        Workers().parse("0")


@given(st.floats(0, 366 * 24 * 3600) | st.integers(0, 10**6))
def test_a_duration_survives_being_written_down(seconds):
    value = Duration().parse(seconds)
    assert Duration().parse(Duration().render(value)) == value
    assert Duration().parse(tomllib.loads(f"x = {Duration().toml(value)}")["x"]) == value


@given(st.integers(0, 10**15))
def test_a_size_survives_being_written_down(size):
    assert Size().parse(Size().render(size)) == size
    assert Size().parse(tomllib.loads(f"x = {Size().toml(size)}")["x"]) == size


@given(st.integers(0, 0o777))
def test_a_mode_survives_being_written_down(mode):
    assert OctalMode().parse(OctalMode().render(mode)) == mode
    assert OctalMode().parse(tomllib.loads(f"x = {OctalMode().toml(mode)}")["x"]) == mode


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.binary())
@pytest.mark.parametrize(
    "kind",
    [Integer(), Workers(), Duration(), Size(), OctalMode()],
    ids=lambda it: type(it).__name__,
)
def test_whatever_is_written_is_a_value_or_one_kind_of_error(kind, written):
    try:
        value = kind.parse(written)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either end is right
    else:
        assert kind.parse(kind.render(value)) == value


@pytest.mark.parametrize(
    ("given", "value"), [(2, "2"), ("0", "0"), (" 7 ", "7"), ("25%", "25%"), ("100%", "100%")]
)
def test_a_part_of_the_workers_is_a_number_or_a_percentage(given, value):
    assert PartOfWorkers().parse(given) == value


@pytest.mark.parametrize("given", [-1, "-1%", "101%", "a third", "", "%", 1.5, True, 4097])
def test_no_other_part_of_the_workers_is_taken(given):
    with pytest.raises(ValueError, match="is not a whole number, or a percentage"):
        PartOfWorkers().parse(given)
