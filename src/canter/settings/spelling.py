"""Did you mean: the nearest of the names that would have been right."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, names: Iterable[str], *, at_most: int = 3) -> str | None:
    """The name that the fewest slips away from `word`, if so few that a slip is likely.

    A slip is a letter missing, too many, wrong, or two neighbours swapped. Case does not count, and
    dashes are underscores. Short words allow fewer slips; never more than `at_most`.
    """
    plain = _plain(word)
    best: str | None = None
    fewest = min(at_most, 1 if len(plain) < 5 else 2 if len(plain) < 9 else 3) + 1
    for name in names:
        other = _plain(name)
        if abs(len(other) - len(plain)) >= fewest:
            continue
        slips = _slips(plain, other)
        if slips < fewest:
            best, fewest = name, slips
    return best


def hint(word: str, names: Iterable[str]) -> str:
    """The end of a message: which name was meant, or nothing."""
    name = nearest(word, names)
    return f"; did you mean {name}?" if name is not None else ""


def _plain(word: str) -> str:
    return word.lower().replace("-", "_").strip("_")


def _slips(left: str, right: str) -> int:
    """The optimal string alignment distance of two words."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left, 1):
        before, above, row = row, before, [i]
        for j, other in enumerate(right, 1):
            slips = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            swapped = i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other
            row.append(min(slips, above[j - 2] + 1) if swapped else slips)
    return row[-1]
