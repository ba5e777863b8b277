"""From the text that names an application to the application itself.

    module            its attribute `application`, else `app`
    module:name       a dotted attribute is followed
    module:make()     called, with literal arguments only, for what it returns
    paste:INI#NAME    of a PasteDeploy file: see `paste`

Every failure is one clear message. `BootError` (the module is not there, or running it failed) and
`ApplicationError` (the module is there and names nothing to serve) carry the exit statuses; where a
traceback helps, the original exception is the `__cause__`.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType, TracebackType
from typing import Any

from canter.errors import ApplicationError, BootError, CanterError
from canter.worker.paste import PREFIX, load_paste

DEFAULT_ATTRIBUTES = ("application", "app")


@dataclass(frozen=True, slots=True)
class FactoryCall:
    """The literal arguments that a factory is called with."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """Where an application is: no attribute means the default ones."""

    module: str
    attribute: tuple[str, ...]
    call: FactoryCall | None

    def __str__(self) -> str:
        return f"{self.module}:{'.'.join(self.attribute)}" if self.attribute else self.module


def parse_target(text: str) -> Target:
    """What `text` names. Raises ApplicationError when it is not written as a target is."""
    module, colon, expression = (part.strip() for part in text.partition(":"))
    if not module:
        raise ApplicationError(f"{text!r} does not name a module; write module:attribute")
    if not colon:
        return Target(module, (), None)
    try:
        tree = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError):
        raise ApplicationError(
            f"{text!r}: {expression!r} is neither an attribute nor a call of one"
        ) from None
    if not isinstance(tree, ast.Call):
        return Target(module, _attribute_path(text, tree), None)
    try:
        args = tuple(ast.literal_eval(argument) for argument in tree.args)
        kwargs = {str(k.arg): ast.literal_eval(k.value) for k in tree.keywords if k.arg}
    except (ValueError, TypeError):
        raise ApplicationError(f"{text!r}: a factory's arguments have to be literals") from None
    if len(kwargs) != len(tree.keywords):
        raise ApplicationError(f"{text!r}: a factory's arguments have to be literals")
    return Target(module, _attribute_path(text, tree.func), FactoryCall(args, kwargs))


def load_application(text: str) -> Callable[..., Any]:
    """The application that `text` names, imported now.

    Raises BootError or ApplicationError; never lets SystemExit or KeyboardInterrupt of the
    application's code pass.
    """
    if text.startswith(PREFIX):
        return load_paste(text)
    target = parse_target(text)
    module = _import(target)
    found = _find(module, target)
    if target.call is not None:
        found = _call(found, target, target.call)
    return _checked(found, target)


def describe_failure(error: BaseException) -> tuple[str, str]:
    """The one message for a failed boot, and the traceback worth showing ("" if there is none)."""
    if isinstance(error, BootError | ApplicationError) and error.__cause__ is not None:
        return str(error), _application_traceback(error.__cause__)
    if isinstance(error, CanterError):
        return str(error), ""
    return f"the worker failed to start: {_last_line(error)}", _application_traceback(error)


def _attribute_path(text: str, node: ast.expr) -> tuple[str, ...]:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise ApplicationError(f"{text!r}: an attribute is a name or names joined by dots")
    return (node.id, *reversed(names))


def _import(target: Target) -> ModuleType:
    try:
        # A link to a release may point elsewhere since the supervisor has looked there, with no
        # newer time.
        importlib.invalidate_caches()
        return importlib.import_module(target.module)
    except ModuleNotFoundError as error:
        if _is_the_target_missing(error, target.module):
            raise BootError(_missing_module_message(target, str(error.name))) from None
        raise BootError(
            f"cannot import {target.module!r}: it imports {error.name!r}, which is not there"
        ) from error
    except SystemExit as error:
        raise BootError(
            f"{target.module!r} called sys.exit({error.code!r}) while it was imported"
        ) from error
    except SyntaxError as error:
        where = f"{error.filename}, line {error.lineno}"
        raise BootError(f"cannot import {target.module!r}: {error.msg} ({where})") from error
    except (TypeError, ValueError) as error:
        if target.module.startswith(".") or not target.module.strip("."):
            raise BootError(_missing_module_message(target, target.module)) from None
        raise _import_failed(target, error) from error
    except BaseException as error:
        raise _import_failed(target, error) from error


def _import_failed(target: Target, error: BaseException) -> BootError:
    return BootError(f"cannot import {target.module!r}: {_last_line(error)}")


def _is_the_target_missing(error: ModuleNotFoundError, module: str) -> bool:
    """Whether it is the module itself (or a package around it) that is not there.

    The name alone does not tell: a module may fail to import a package of its own name.
    """
    name = error.name or ""
    return (module == name or module.startswith(name + ".")) and not any(
        True for _ in _application_frames(error.__traceback__)
    )


def _missing_module_message(target: Target, missing: str) -> str:
    message = f"there is no module {target.module!r}"
    if missing != target.module:
        message += f" (no {missing!r})"
    if target.module.endswith(".py") or "/" in target.module:
        dotted = target.module.removesuffix(".py").strip("./").replace("/", ".")
        attribute = ".".join(target.attribute) or DEFAULT_ATTRIBUTES[0]
        return f"{message}: did you mean {f'{dotted}:{attribute}'!r}?"
    package, _, name = missing.rpartition(".")
    path = getattr(sys.modules.get(package), "__path__", None) if package else [os.getcwd()]
    near = difflib.get_close_matches(name, [m.name for m in pkgutil.iter_modules(path)], n=1)
    if near:
        suggestion = f"{package}.{near[0]}" if package else near[0]
        return f"{message}: did you mean {suggestion + target.module[len(missing) :]!r}?"
    return f"{message}; looked in {os.getcwd()} and the rest of sys.path"


def _find(module: ModuleType, target: Target) -> Any:
    if not target.attribute:
        for name in DEFAULT_ATTRIBUTES:
            if hasattr(module, name):
                return getattr(module, name)
        first, second = DEFAULT_ATTRIBUTES
        raise ApplicationError(
            f"module {target.module!r} has neither {first!r} nor {second!r}; "
            f"write {target.module}:ATTRIBUTE"
        )
    found: Any = module
    for position, name in enumerate(target.attribute):
        try:
            found = getattr(found, name)
        except AttributeError:
            owner = ".".join((target.module, *target.attribute[:position]))
            raise ApplicationError(f"{owner!r} has no {name!r}{_near(name, dir(found))}") from None
    return found


def _near(name: str, names: Iterable[str]) -> str:
    public = [other for other in names if not other.startswith("_")]
    near = difflib.get_close_matches(name, public, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _call(factory: Any, target: Target, call: FactoryCall) -> Any:
    if not callable(factory):
        raise ApplicationError(f"{str(target)!r} cannot be called: it is {_kind(factory)}")
    try:
        inspect.signature(factory).bind(*call.args, **call.kwargs)
    except TypeError as error:
        raise ApplicationError(f"{str(target)!r} does not take these arguments: {error}") from None
    except ValueError:
        pass  # Some builtins have no signature; the call itself will tell.
    try:
        return factory(*call.args, **call.kwargs)
    except SystemExit as error:
        raise BootError(f"{str(target)!r} called sys.exit({error.code!r})") from error
    except BaseException as error:
        raise BootError(f"{str(target)!r} failed: {_last_line(error)}") from error


def _checked(found: Any, target: Target) -> Callable[..., Any]:
    what = f"{str(target)!r}" + (" returned something that" if target.call else "")
    if not callable(found):
        raise ApplicationError(f"{what} is not callable: it is {_kind(found)}")
    if inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(type(found).__call__):
        raise ApplicationError(f"{what} is asynchronous (ASGI); canter serves WSGI applications")
    application: Callable[..., Any] = found
    return application


def _kind(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _last_line(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()


def _application_frames(start: TracebackType | None) -> Iterable[TracebackType]:
    """The frames below our own and the import machinery's."""
    while start is not None:
        file = start.tb_frame.f_code.co_filename
        if file not in (__file__, importlib.__file__) and not file.startswith("<frozen importlib"):
            yield start
        start = start.tb_next


def _application_traceback(error: BaseException) -> str:
    """The traceback from the application's first frame on; a SyntaxError may have none at all."""
    first = next(iter(_application_frames(error.__traceback__)), None)
    return "".join(traceback.format_exception(error.with_traceback(first)))
