"""The head of an SCGI request.

    SIZE ":" NAME NUL VALUE NUL ... ","

The size is in decimal digits without a leading zero. The first variable is CONTENT_LENGTH, and one
of them is SCGI with the value 1.
"""

from __future__ import annotations

from canter.protocol.faults import BadFraming, BadPacket, FieldsTooLarge

#: Digits of a size; what has more is too large for any limit.
_DIGITS_MAXIMUM = 9


def read_size(data: bytes, limit: int) -> tuple[int, int] | None:
    """Where the variables begin and end; None when that has not come yet.

    limit: the most bytes of variables; 0 for no limit. Raises BadPacket, FieldsTooLarge.
    """
    head = data[: _DIGITS_MAXIMUM + 1]
    digits, colon, _ = head.partition(b":")
    if digits and not (digits.isdigit() and (digits[:1] != b"0" or digits == b"0")):
        raise BadPacket("not an SCGI request: it does not begin with a size")
    if not colon:
        if len(digits) > _DIGITS_MAXIMUM:
            raise BadPacket("not an SCGI request: it does not begin with a size")
        return None
    if not digits:
        raise BadPacket("an SCGI request without a size")
    begin = len(digits) + 1
    size = int(digits)
    if limit and size > limit:
        raise FieldsTooLarge(f"variables of {size} bytes, over {limit}")
    return begin, begin + size


def read_variables(block: bytes) -> list[tuple[bytes, bytes]]:
    """Names and values. Raises BadPacket, and BadFraming where the first is not CONTENT_LENGTH."""
    if not block.endswith(b"\0"):
        raise BadPacket("the last variable has no end")
    texts = block.split(b"\0")[:-1]
    if len(texts) % 2:
        raise BadPacket("a variable without a value")
    found = list(zip(texts[::2], texts[1::2], strict=True))
    if found[0][0] != b"CONTENT_LENGTH" or not found[0][1]:
        raise BadFraming("the first variable is not CONTENT_LENGTH")
    if not all(name for name, _ in found):
        raise BadPacket("a variable without a name")
    if (b"SCGI", b"1") not in found:
        raise BadPacket("no variable SCGI with the value 1")
    return found
