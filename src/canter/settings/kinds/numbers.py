"""Kinds that are numbers: counts, durations, sizes, permission bits, and the number of workers."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Literal, TypeAlias

from canter.settings.kinds.kind import Kind, quoted

_DIGITS = re.compile(r"-?[0-9]{1,40}", re.ASCII)
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*(ms|s|m|h)?", re.ASCII)
_SECONDS_PER_UNIT = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
_SIZE = re.compile(r"([0-9]{1,40})\s*([KMGT]?)(?:iB)?", re.ASCII | re.IGNORECASE)
_BYTES_PER_UNIT = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
# Three digits are what chmod takes; fewer without a 0 before them could be meant decimally.
_OCTAL = re.compile(r"0o?([0-7]{1,4})|([0-7]{3})", re.ASCII)
_HEXADECIMAL = re.compile(r"0[xX]([0-9a-fA-F]{1,8})", re.ASCII)
_LONGEST_SECONDS = 366 * 24 * 3600
_LARGEST_NUMBER = 2**31 - 1
_MOST_WORKERS = 4096
_MOST_BYTES = 2**60


class Integer(Kind[int]):
    """A whole number within bounds, both included."""

    def __init__(self, minimum: int = 0, maximum: int = _LARGEST_NUMBER) -> None:
        self.minimum = minimum
        self.maximum = maximum

    @property
    def annotation(self) -> str:
        return "int"

    @property
    def json_type(self) -> str:
        return "integer"

    @property
    def expects(self) -> str:
        if self.maximum == _LARGEST_NUMBER:
            return f"a whole number, {self.minimum} or more"
        return f"a whole number from {self.minimum} to {self.maximum}"

    @property
    def metavar(self) -> str:
        return "N"

    def parse(self, value: object) -> int:
        number = _whole(value)
        if number is None:
            raise ValueError(f"{quoted(value)} is not a whole number")
        if not self.minimum <= number <= self.maximum:
            raise ValueError(f"{number} is out of bounds; it takes {self.expects}")
        return number

    def render(self, value: int) -> str:
        return str(value)


class PartOfWorkers(Kind[str]):
    """A number of workers, or a percentage of them; the value is `N` or `N%`."""

    @property
    def annotation(self) -> str:
        return "str"

    @property
    def json_type(self) -> str:
        return "integer or string"

    @property
    def expects(self) -> str:
        return "a whole number, or a percentage up to `100%`"

    @property
    def metavar(self) -> str:
        return "N|N%"

    def parse(self, value: object) -> str:
        text = value.strip() if isinstance(value, str) else value
        is_percentage = isinstance(text, str) and text.endswith("%")
        number = _whole(text.removesuffix("%") if isinstance(text, str) else text)
        most = 100 if is_percentage else _MOST_WORKERS
        if number is None or not 0 <= number <= most:
            raise ValueError(f"{quoted(value)} is not {self.expects}")
        return f"{number}%" if is_percentage else str(number)

    def render(self, value: str) -> str:
        return value


WorkerCount: TypeAlias = int | Literal["auto"]


class Workers(Kind[WorkerCount | tuple[WorkerCount, WorkerCount]]):
    """How many worker processes: a number, or `auto` for what this process may use; or a range."""

    @property
    def annotation(self) -> str:
        return 'int | Literal["auto"] | tuple[int | Literal["auto"], int | Literal["auto"]]'

    @property
    def json_type(self) -> str:
        return "integer or string"

    @property
    def expects(self) -> str:
        return "a whole number, 1 or more, or `auto`; or a range such as `2-8` or `1-auto`"

    @property
    def metavar(self) -> str:
        return "N|auto|MIN-MAX"

    def parse(self, value: object) -> WorkerCount | tuple[WorkerCount, WorkerCount]:
        if isinstance(value, str):
            fewest, dash, most = value.strip().partition("-")
            if dash and fewest:
                return self._range(self._count(fewest), self._count(most))
        return self._count(value)

    @staticmethod
    def _range(
        fewest: WorkerCount, most: WorkerCount
    ) -> WorkerCount | tuple[WorkerCount, WorkerCount]:
        if fewest == most:
            return fewest
        if fewest != "auto" and most != "auto" and fewest > most:
            raise ValueError(f"{fewest}-{most} ends before it begins")
        return fewest, most

    @staticmethod
    def _count(value: object) -> WorkerCount:
        if isinstance(value, str) and value.strip().lower() == "auto":
            return "auto"
        number = _whole(value)
        if number is None:
            raise ValueError(
                f"{quoted(value)} is neither a whole number nor 'auto' nor a range as 2-8"
            )
        if number < 1:
            raise ValueError(f"{number} workers can serve nothing; it takes 1 or more, or 'auto'")
        if number > _MOST_WORKERS:
            raise ValueError(f"{number} workers are too many; it takes up to {_MOST_WORKERS}")
        return number

    def render(self, value: WorkerCount | tuple[WorkerCount, WorkerCount]) -> str:
        return f"{value[0]}-{value[1]}" if isinstance(value, tuple) else str(value)

    def toml(self, value: WorkerCount | tuple[WorkerCount, WorkerCount]) -> str:
        return str(value) if isinstance(value, int) else f'"{self.render(value)}"'


class Duration(Kind[float]):
    """A span of time in seconds; text may carry a unit: 30, 1.5, 500ms, 30s, 2m, 1h.

    Without `zero` the span must be above nothing, for time-outs that cannot be switched off.
    """

    def __init__(self, *, zero: bool = True) -> None:
        self.zero = zero

    @property
    def annotation(self) -> str:
        return "float"

    @property
    def json_type(self) -> str:
        return "number or string"

    @property
    def expects(self) -> str:
        bound = "" if self.zero else ", above zero"
        return f"seconds, or a number with a unit: `500ms`, `30s`, `2m`, `1h`{bound}"

    @property
    def metavar(self) -> str:
        return "SECONDS"

    def parse(self, value: object) -> float:
        seconds = self._seconds(value)
        if seconds is None:
            raise ValueError(f"{quoted(value)} is not a duration, such as 30, 500ms, 30s, 2m or 1h")
        if seconds < 0 or (seconds == 0 and not self.zero):
            raise ValueError(f"{quoted(value)} is too short; it takes {self._bound()}")
        if seconds > _LONGEST_SECONDS:
            raise ValueError(f"{quoted(value)} is longer than a year")
        return seconds

    def render(self, value: float) -> str:
        return f"{_plain_decimal(value)}s"

    def toml(self, value: float) -> str:
        return _plain_decimal(value)

    def _bound(self) -> str:
        return "0 or more" if self.zero else "more than 0"

    @staticmethod
    def _seconds(value: object) -> float | None:
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float):
            # Nanoseconds are finer than any clock here, and keep the shortest notation exact.
            return round(float(value), 9) if math.isfinite(value) else None
        if not isinstance(value, str):
            return None
        text = value.strip()
        sign = -1 if text.startswith("-") else 1
        match = _DURATION.fullmatch(text.removeprefix("-"))
        if match is None:
            return None
        number, unit = match.groups()
        return round(float(sign * Decimal(number) * _SECONDS_PER_UNIT[unit or "s"]), 9)


class Size(Kind[int]):
    """A number of bytes; text may carry K, M, G or T, powers of 1024."""

    def __init__(self, minimum: int = 0, maximum: int = _MOST_BYTES) -> None:
        self._minimum = minimum
        self._maximum = maximum

    @property
    def annotation(self) -> str:
        return "int"

    @property
    def json_type(self) -> str:
        return "integer or string"

    @property
    def expects(self) -> str:
        return "bytes, or a whole number with a unit: `64K`, `1M`, `2G` (powers of 1024)"

    @property
    def metavar(self) -> str:
        return "BYTES"

    def parse(self, value: object) -> int:
        size = self._bytes(value)
        if size is None:
            raise ValueError(f"{quoted(value)} is not a size, such as 65536, 64K, 1M or 2G")
        if not self._minimum <= size <= self._maximum:
            upwards = "or more" if self._maximum == _MOST_BYTES else f"to {self._maximum}"
            raise ValueError(
                f"{quoted(value)} is out of bounds; it takes {self._minimum} {upwards}"
            )
        return size

    def render(self, value: int) -> str:
        for unit in ("T", "G", "M", "K"):
            count, rest = divmod(value, _BYTES_PER_UNIT[unit])
            if count and not rest:
                return f"{count}{unit}"
        return str(value)

    def toml(self, value: int) -> str:
        text = self.render(value)
        return text if text.isdigit() else f'"{text}"'

    @staticmethod
    def _bytes(value: object) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        return int(match[1]) * _BYTES_PER_UNIT[match[2].upper()] if match is not None else None


class OctalMode(Kind[int]):
    """Permission bits. Text is octal, as chmod's: 660, 027, 0o660; or hexadecimal: 0x1b.

    A number is taken as it is.
    """

    @property
    def annotation(self) -> str:
        return "int"

    @property
    def json_type(self) -> str:
        return "integer or string"

    @property
    def expects(self) -> str:
        return 'octal permission bits, `027` or `660`; in a TOML file `0o660` or `"660"`'

    @property
    def metavar(self) -> str:
        return "MODE"

    def parse(self, value: object) -> int:
        mode = self._mode(value)
        if mode is None:
            raise ValueError(f"{quoted(value)} is not a mode in octal, such as 027 or 660")
        if not 0 <= mode <= 0o777:
            # 660 for 0o660 is the usual slip, and decimal 660 is no mode at all.
            hint = f"; did you mean 0o{mode}?" if re.fullmatch(r"[0-7]{3}", str(mode)) else ""
            raise ValueError(f"{quoted(value)} is not within 0 and 0o777{hint}")
        return mode

    def render(self, value: int) -> str:
        return f"0o{value:03o}"

    def toml(self, value: int) -> str:
        return self.render(value)

    @staticmethod
    def _mode(value: object) -> int | None:
        if isinstance(value, str):
            text = value.strip()
            if text == "0":
                return 0
            hexadecimal = _HEXADECIMAL.fullmatch(text)
            if hexadecimal is not None:
                return int(hexadecimal[1], 16)
            match = _OCTAL.fullmatch(text)
            return int(match[1] or match[2], 8) if match is not None else None
        return _whole(value)


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        return int(value)
    return None


def _plain_decimal(value: float) -> str:
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
