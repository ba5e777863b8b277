"""Hooks: functions that can be called with what they are given, or names of such."""

from __future__ import annotations

import functools

import pytest

from canter.settings.kinds import Hook
from canter.settings.kinds.hooks import arguments_taken


def one(server): ...


def two(server, worker): ...


def either(server, worker=None): ...


def any_number(*arguments): ...


@pytest.mark.parametrize("function", [one, either, any_number, functools.partial(two, 1), print])
def test_what_can_be_called_with_its_arguments_is_taken_as_it_is(function):
    assert Hook(1).parse(function) is function


@pytest.mark.parametrize("function", [two, lambda: None])
def test_what_cannot_is_refused(function):
    with pytest.raises(ValueError, match=r"cannot be called with 1 argument$"):
        Hook(1).parse(function)


@pytest.mark.parametrize("text", ["shop.hooks:ready", "shop.hooks.ready", "shop:Class.ready"])
def test_a_name_is_kept(text):
    kind = Hook(1)
    assert kind.parse(f" {text} ") == text
    assert kind.render(text) == text
    assert kind.toml(text) == f'"{text}"'


@pytest.mark.parametrize("value", ["ready", "a b:c", ":x", "x:", "1a:b", 5, None, []])
def test_what_names_no_function_is_refused(value):
    with pytest.raises(ValueError, match="function"):
        Hook(1).parse(value)


def test_a_function_is_shown_by_its_name():
    assert Hook(1).render(one) == f"{__name__}:one"
    assert Hook(1).render(functools.partial(one)).endswith(":partial")


def test_as_many_arguments_as_may_be_are_given():
    assert arguments_taken(two, 4, 2) == 2
    assert arguments_taken(any_number, 4, 2) == 4
    assert arguments_taken(one, 4, 2) is None
