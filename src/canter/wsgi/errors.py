"""wsgi.errors: a text stream whose lines go to the error log (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

# Text without a line end is kept up to this length.
_LINE_CHARACTERS = 16384


class ErrorStream:
    """Gathers text until a line is complete, then hands over what there is.

    emit: takes one text without its last line end; several lines stay together when they were
    written together, as a traceback is. What is left without a line end is handed over by flush(),
    or when it grows too long.
    """

    def __init__(self, emit: Callable[[str], object]) -> None:
        self._emit = emit
        self._text = ""

    def write(self, text: str) -> int:
        """Write text; returns its length."""
        if not isinstance(text, str):
            raise TypeError(f"wsgi.errors takes str, not {type(text).__name__}")
        if text.endswith("\n") and not self._text:
            # Whole lines of several threads do not meet.
            if whole := text.rstrip("\n"):
                self._emit(whole)
            return len(text)
        self._text += text
        if self._text.endswith("\n") or len(self._text) > _LINE_CHARACTERS:
            self.flush()
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of the lines."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Hand over what has gathered."""
        text, self._text = self._text, ""
        if text := text.rstrip("\n"):
            self._emit(text)
