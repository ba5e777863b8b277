"""What a worker and its supervisor say to each other, and how it is written on the wire.

A frame is four bytes of length (big-endian) and a JSON list: the message's name, then its fields in
order. JSON, because a worker may run as a less privileged user and must not be able to make the
supervisor run anything. A frame that cannot be understood is skipped (`Garbled`); a length that
cannot be believed means that the sides have lost each other (`BrokenChannelError`).

Pure: bytes in, messages out; the socket belongs to `channel`.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

MAX_FRAME_BYTES = 1 << 20
MAX_TEXT_CHARACTERS = 64 * 1024
MAX_FILES_PER_MESSAGE = 100


# ----------------------------------------------------------------- the worker to the supervisor


@dataclass(frozen=True, slots=True)
class Ready:
    """The application is loaded; the worker waits to be told to serve."""


@dataclass(frozen=True, slots=True)
class Serving:
    """The worker accepts connections now."""


@dataclass(frozen=True, slots=True)
class BootFailed:
    """The worker cannot start and leaves with `exit_status`; `traceback` is "" if none helps."""

    exit_status: int
    message: str
    traceback: str


@dataclass(frozen=True, slots=True)
class WantsReplacement:
    """The worker has done its share, as `why` says; it goes on serving until told."""

    why: str = "it has answered max_requests"


@dataclass(frozen=True, slots=True)
class Leaving:
    """Somebody else told the worker to stop; it drains."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The answer to Expire: whether that request was still running, and so has been ended.

    stack: what it was and where its thread was; "" where it was not running.
    """

    thread: int
    started_ns: int
    was_running: bool
    stack: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """Files whose change means that the application should be loaded anew."""

    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stacks:
    """The answer to TellStacks: the Python stack of every thread that runs a request."""

    number: int
    text: str


# ------------------------------------------------------------ the fork server to the supervisor


@dataclass(frozen=True, slots=True)
class Forked:
    """A worker was forked as asked for by `ticket`: a child of the supervisor, by that number."""

    ticket: int
    pid: int


@dataclass(frozen=True, slots=True)
class NotForked:
    """The worker asked for by `ticket` could not be forked; `traceback` is "" if none helps."""

    ticket: int
    message: str
    traceback: str


# ----------------------------------------------------------------- the supervisor to the worker


@dataclass(frozen=True, slots=True)
class Serve:
    """Start to accept connections."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Finish what is running within `within_seconds`, then leave.

    With `answer_backlog`, also what waits in the listen queues, because nobody else will.
    """

    answer_backlog: bool
    within_seconds: float


@dataclass(frozen=True, slots=True)
class Expire:
    """End the request that `thread` has been running since `started_ns` (time.monotonic_ns)."""

    thread: int
    started_ns: int


@dataclass(frozen=True, slots=True)
class TellStacks:
    """Say what busy threads run, all or (`thread` is not -1) one; `number` comes back with it."""

    number: int
    thread: int = -1


@dataclass(frozen=True, slots=True)
class SetLogLevel:
    """Log at `level` (its name) from now on."""

    level: str


@dataclass(frozen=True, slots=True)
class News:
    """To the observer: a snapshot of everything, as JSON."""

    snapshot: str


@dataclass(frozen=True, slots=True)
class Garbled:
    """A frame that could not be understood; never sent."""

    reason: str


Message: TypeAlias = (
    Ready
    | Serving
    | BootFailed
    | WantsReplacement
    | Leaving
    | Expired
    | Watch
    | Stacks
    | Forked
    | NotForked
    | Serve
    | Drain
    | Expire
    | TellStacks
    | SetLogLevel
    | News
)

_LENGTH: Final = struct.Struct(">I")
_KINDS: Final[dict[str, type[Message]]] = {
    kind.__name__: kind
    for kind in (
        Ready,
        Serving,
        BootFailed,
        WantsReplacement,
        Leaving,
        Expired,
        Watch,
        Stacks,
        Forked,
        NotForked,
        Serve,
        Drain,
        Expire,
        TellStacks,
        SetLogLevel,
        News,
    )
}


class BrokenChannelError(Exception):
    """The byte stream is not one of frames any more; nothing after this can be trusted."""


def encode(message: Message) -> bytes:
    """The frame for `message`. Raises ValueError when it is over MAX_FRAME_BYTES."""
    values = [getattr(message, field.name) for field in dataclasses.fields(message)]
    body = json.dumps([type(message).__name__, *values]).encode("ascii")
    if len(body) > MAX_FRAME_BYTES:
        raise ValueError(f"{type(message).__name__} is too long to send: {len(body)} bytes")
    return _LENGTH.pack(len(body)) + body


def decode(body: bytes) -> Message | Garbled:
    """The message in one frame's body."""
    try:
        name, *values = json.loads(body)
        kind = _KINDS[name]
        fields = dataclasses.fields(kind)
        if len(values) != len(fields):
            return Garbled(f"{name} has {len(values)} values")
        checked = [_CHECKS[str(f.type)](v) for f, v in zip(fields, values, strict=True)]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return Garbled(f"{type(error).__name__}: {error}"[:200])
    return kind(*checked)


class FrameReader:
    """Cuts a stream of bytes into messages."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message | Garbled]:
        """The messages that `data` completes. Raises BrokenChannelError on an impossible length."""
        buffer = self._buffer
        buffer += data
        messages: list[Message | Garbled] = []
        while len(buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer)
            if length > MAX_FRAME_BYTES:
                raise BrokenChannelError(f"a frame of {length} bytes")
            end = _LENGTH.size + length
            if len(buffer) < end:
                break
            messages.append(decode(bytes(buffer[_LENGTH.size : end])))
            del buffer[:end]
        return messages


def clip(text: str) -> str:
    """`text` cut to what a message may carry; of a traceback the end is what matters."""
    if len(text) <= MAX_TEXT_CHARACTERS:
        return text
    return "[...]\n" + text[-MAX_TEXT_CHARACTERS:]


def _of_type(kind: type) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        # bool is an int in Python, but not in a message.
        if type(value) is not kind:
            raise TypeError(f"{value!r} is not {kind.__name__}")
        return value

    return check


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _texts(value: Any) -> tuple[str, ...]:
    if type(value) is not list or not all(type(item) is str for item in value):
        raise TypeError(f"{value!r} is not a list of texts")
    return tuple(value)


_CHECKS: Final[dict[str, Callable[[Any], Any]]] = {
    "int": _of_type(int),
    "bool": _of_type(bool),
    "str": _of_type(str),
    "float": _number,
    "tuple[str, ...]": _texts,
}
