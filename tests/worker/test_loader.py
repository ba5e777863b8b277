"""From a text to an application: what is accepted, and one clear message for all the rest."""

from __future__ import annotations

import contextlib
import itertools
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.errors import ApplicationError, BootError, CanterError
from canter.worker.loader import (
    FactoryCall,
    Target,
    describe_failure,
    load_application,
    parse_target,
)

_names = itertools.count()


class Project:
    """A directory of modules with names that no other test has used."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.suffix = next(_names)

    def module(self, source: str, name: str = "shop") -> str:
        name = f"{name}{self.suffix}"
        path = self.directory / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return name


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield Project(tmp_path)
    for name in set(sys.modules) - before:
        del sys.modules[name]


def failure_of(text: str) -> CanterError:
    with pytest.raises((ApplicationError, BootError)) as caught:
        load_application(text)
    return caught.value


# ---- the text


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("shop", Target("shop", (), None)),
        ("shop.wsgi", Target("shop.wsgi", (), None)),
        ("shop:app", Target("shop", ("app",), None)),
        (" shop : app ", Target("shop", ("app",), None)),
        ("shop:site.app", Target("shop", ("site", "app"), None)),
        ("shop:make()", Target("shop", ("make",), FactoryCall((), {}))),
        ("shop:site.make()", Target("shop", ("site", "make"), FactoryCall((), {}))),
        (
            "shop:make('a', 1, debug=True, tags=['x', ('y',)])",
            Target(
                "shop",
                ("make",),
                FactoryCall(("a", 1), {"debug": True, "tags": ["x", ("y",)]}),
            ),
        ),
    ],
)
def test_a_target_is_a_module_and_perhaps_an_attribute_or_a_call(text: str, target: Target):
    assert parse_target(text) == target


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "does not name a module"),
        (":app", "does not name a module"),
        ("shop:", "neither an attribute nor a call"),
        ("shop:1app", "neither an attribute nor a call"),
        ("shop:app app", "neither an attribute nor a call"),
        ("shop:app;import os", "neither an attribute nor a call"),
        ("shop:1", "a name or names joined by dots"),
        ("shop:apps[0]", "a name or names joined by dots"),
        ("shop:make()()", "a name or names joined by dots"),
        ("shop:make().app", "a name or names joined by dots"),
        ("shop:make(name)", "have to be literals"),
        ("shop:make(os.system('x'))", "have to be literals"),
        ("shop:make(x=name)", "have to be literals"),
        ("shop:make(**{'x': 1})", "have to be literals"),
        ("shop:make(*[1])", "have to be literals"),
    ],
)
def test_a_text_that_is_no_target_is_refused_before_anything_is_imported(text: str, problem: str):
    with pytest.raises(ApplicationError, match=problem) as caught:
        parse_target(text)
    assert repr(text) in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_is_a_target_or_one_clear_refusal(text: str):
    with contextlib.suppress(ApplicationError):
        assert parse_target(text).module


# ---- what is found


def test_without_an_attribute_application_comes_before_app(project: Project):
    name = project.module("app = lambda e, s: ['app']\napplication = lambda e, s: ['application']")
    assert load_application(name)({}, None) == ["application"]


def test_without_an_attribute_app_will_do(project: Project):
    name = project.module("app = lambda e, s: ['app']")
    assert load_application(name)({}, None) == ["app"]


def test_dotted_attributes_are_followed(project: Project):
    name = project.module("class site:\n    app = staticmethod(lambda e, s: ['inner'])")
    assert load_application(f"{name}:site.app")({}, None) == ["inner"]


def test_a_factory_is_called_with_its_arguments(project: Project):
    name = project.module("def make(a, *, b=0):\n    return lambda e, s: [a, b]")
    assert load_application(f"{name}:make('x', b=2)")({}, None) == ["x", 2]


def test_an_object_that_can_be_called_is_an_application(project: Project):
    name = project.module(
        "class Site:\n    def __call__(self, e, s):\n        return ['object']\napp = Site()"
    )
    assert load_application(f"{name}:app")({}, None) == ["object"]


# ---- what is not found


def test_a_module_that_does_not_exist_is_told_without_a_traceback(project: Project):
    error = failure_of("no_such_module_at_all")
    assert isinstance(error, BootError)
    message, traceback = describe_failure(error)
    assert message.startswith("there is no module 'no_such_module_at_all'")
    assert str(project.directory) in message
    assert traceback == ""


def test_a_module_missing_in_a_package_is_told(project: Project):
    (project.directory / "pack").mkdir()
    (project.directory / "pack" / "__init__.py").write_text("")
    error = failure_of("pack.wsgi")
    assert "there is no module 'pack.wsgi'" in str(error)
    assert error.__cause__ is None


def test_a_missing_package_around_the_module_is_told(project: Project):
    assert "(no 'nowhere')" in str(failure_of("nowhere.wsgi:app"))


def test_an_import_that_fails_inside_the_module_is_not_mistaken_for_the_module(project: Project):
    name = project.module("x = 1\nimport not_installed_anywhere\n")
    error = failure_of(name)
    assert isinstance(error, BootError)
    message, traceback = describe_failure(error)
    assert message == (
        f"cannot import '{name}': it imports 'not_installed_anywhere', which is not there"
    )
    assert f'{name}.py", line 2' in traceback
    assert "importlib" not in traceback
    assert "loader.py" not in traceback


def test_a_module_that_fails_to_import_its_own_name_is_not_mistaken_for_missing(project: Project):
    directory = project.directory / "selfish"
    directory.mkdir()
    (directory / "__init__.py").write_text("")
    (directory / "wsgi.py").write_text("import sys\nsys.path[:] = []\nimport selfish.wsgi.deeper")
    error = failure_of("selfish.wsgi:app")
    assert "it imports 'selfish.wsgi.deeper'" in str(error)


@pytest.mark.parametrize("text", ["shop.py", "shop.py:app", "./shop.py", "site/shop.py"])
def test_a_file_name_is_answered_with_the_modules(project: Project, text: str):
    message = str(failure_of(text))
    attribute = "app" if ":" in text else "application"
    module = "site.shop" if "/s" in text and not text.startswith(".") else "shop"
    assert f"did you mean '{module}:{attribute}'?" in message


def test_a_misspelt_module_is_answered_with_the_nearest(project: Project):
    name = project.module("app = print")
    wrong = name.replace("shop", "shpo")
    assert f"did you mean {name!r}?" in str(failure_of(wrong))
    (project.directory / "pack").mkdir()
    (project.directory / "pack" / "__init__.py").write_text("")
    (project.directory / "pack" / "wsgi.py").write_text("")
    assert "did you mean 'pack.wsgi'?" in str(failure_of("pack.wgsi"))


@pytest.mark.parametrize("text", [".", "..shop", ".shop"])
def test_a_relative_module_is_not_a_module(project: Project, text: str):
    assert isinstance(failure_of(text), BootError)


def test_a_module_without_an_application_says_what_was_looked_for(project: Project):
    error = failure_of(project.module("x = 1"))
    assert isinstance(error, ApplicationError)
    assert "neither 'application' nor 'app'" in str(error)


def test_a_misspelt_attribute_is_answered_with_the_nearest(project: Project):
    name = project.module("application = print")
    error = failure_of(f"{name}:aplication")
    assert isinstance(error, ApplicationError)
    assert str(error) == f"'{name}' has no 'aplication'; did you mean 'application'?"
    assert "did you mean" not in str(failure_of(f"{name}:zzz"))


@pytest.mark.parametrize(
    ("source", "attribute", "message"),
    [
        ("app = None", "app", "is not callable: it is None"),
        ("app = 'text'", "app", "is not callable: it is a str"),
        ("def make(): pass", "make()", "returned something that is not callable: it is None"),
        ("make = 5", "make()", "cannot be called: it is a int"),
        ("def make(a): pass", "make()", "does not take these arguments"),
        ("def make(): pass", "make(1)", "does not take these arguments"),
        ("async def app(scope, receive, send): pass", "app", "asynchronous"),
        (
            "class A:\n    async def __call__(self, a, b, c): pass\napp = A()",
            "app",
            "asynchronous",
        ),
    ],
)
def test_what_cannot_be_served_is_told(project: Project, source: str, attribute: str, message: str):
    error = failure_of(f"{project.module(source)}:{attribute}")
    assert isinstance(error, ApplicationError)
    assert message in str(error)


# ---- what fails


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def (", "invalid syntax"),
        ("x = 1\n y = 2", "unexpected indent"),
        ("1/0", "ZeroDivisionError: division by zero"),
        ("raise TypeError('odd')", "TypeError: odd"),
        ("raise ValueError('odd')", "ValueError: odd"),
        ("import sys; sys.exit('bad database')", "called sys.exit('bad database')"),
        ("raise SystemExit", "called sys.exit(None)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("x = b'\\0'.decode('ascii')\nraise OSError(28, 'disk full')", "disk full"),
    ],
)
def test_a_module_that_fails_is_a_failed_boot_with_its_traceback(
    project: Project, source: str, message: str
):
    name = project.module(source)
    error = failure_of(name)
    assert isinstance(error, BootError)
    told, traceback = describe_failure(error)
    assert message in told
    assert "\n" not in told
    assert f"{name}.py" in traceback
    assert "loader.py" not in traceback


def test_a_factory_that_fails_is_a_failed_boot_with_its_traceback(project: Project):
    name = project.module("def make():\n    raise RuntimeError('no database')")
    error = failure_of(f"{name}:make()")
    assert isinstance(error, BootError)
    told, traceback = describe_failure(error)
    assert told == f"'{name}:make' failed: RuntimeError: no database"
    assert "line 2, in make" in traceback
    assert "sys.exit(1)" in str(failure_of(f"{project.module('import sys', 'quit')}:sys.exit(1)"))


def test_any_other_error_is_described_with_its_traceback():
    with pytest.raises(ZeroDivisionError) as caught:
        load_application(1 / 0)  # type: ignore[arg-type]
    message, traceback = describe_failure(caught.value)
    assert message == "the worker failed to start: ZeroDivisionError: division by zero"
    assert __file__ in traceback
