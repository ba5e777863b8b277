"""The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B), for reading.

The code is canonical, so that its 257 lengths say all of it. It is read by half bytes: a table has,
for each inner node of the tree and each half byte, the node that comes next and the symbol that was
completed, at most one, since none is shorter than five bits.
"""

from __future__ import annotations

# One length for each byte, and that of EOS.
LENGTHS = bytes.fromhex(
    "0d171c1c1c1c1c1c1c181e1c1c1e1c1c1c1c1c1c1c1c1e1c1c1c1c1c1c1c1c1c"
    "060a0a0c0d06080b0a0a080b080606060505050606060606060607080f060c0a"
    "0d06070707070707070707070707070707070707070707070807080d130d0e06"
    "0f05060506050606060507070606060506070605050607070707070f0b0e0d1c"
    "1416141416161617161717171717181718181617181717171715161716171718"
    "1615141616171715171616181516171715151615171617171416161617161617"
    "1a1a1413161716191a1a1a1b1b1a181913151a1b1b1a1b1815151a1a1c1b1b1b"
    "14181415161515171616191918181a171a1b1a1a1b1b1b1b1b1c1b1b1b1b1b1a"
    "1e"
)
_EOS = 256
_NODES = 256
_LONGEST_PADDING = 7

# What completing half a byte means, in _DONE: nothing, a symbol, or that no string goes like this.
_NOTHING = 0
_SYMBOL = 1
_WRONG = 2


def codes() -> list[int]:
    """The code of each symbol, in as many bits as `LENGTHS` says."""
    found = [0] * len(LENGTHS)
    code = length = 0
    for bits, symbol in sorted((bits, symbol) for symbol, bits in enumerate(LENGTHS)):
        code <<= bits - length
        length = bits
        found[symbol] = code
        code += 1
    return found


def _tree() -> list[list[int]]:
    """Two branches for each inner node: another one's number, or -1 - symbol at a leaf."""
    nodes = [[0, 0]]
    for symbol, code in enumerate(codes()):
        node = 0
        for bit in range(LENGTHS[symbol] - 1, 0, -1):
            way = code >> bit & 1
            if not nodes[node][way]:
                nodes[node][way] = len(nodes)
                nodes.append([0, 0])
            node = nodes[node][way]
        nodes[node][code & 1] = -1 - symbol
    return nodes


def _tables() -> tuple[bytes, bytes, bytes, bytes]:
    """By node and half byte: the next node, what was completed, the symbol. By node: may end."""
    nodes = _tree()
    following = bytearray(_NODES * 16)
    done = bytearray(_NODES * 16)
    symbols = bytearray(_NODES * 16)
    for start in range(_NODES):
        for half in range(16):
            node, at = start, start * 16 + half
            for bit in (3, 2, 1, 0):
                node = nodes[node][half >> bit & 1]
                if node < 0:
                    symbol, node = -1 - node, 0
                    done[at] = _WRONG if symbol == _EOS else _SYMBOL
                    symbols[at] = symbol & 255
            following[at] = node
    # What is left of the last byte is filled with the beginning of EOS, which is all ones.
    ends = bytearray(_NODES)
    node = 0
    for _ in range(_LONGEST_PADDING + 1):
        ends[node] = 1
        node = nodes[node][1]
    return bytes(following), bytes(done), bytes(symbols), bytes(ends)


_FOLLOWING, _DONE, _SYMBOLS, _ENDS = _tables()


def decode(data: bytes, start: int, end: int) -> bytes | None:
    """The string of the code from `start` to `end`; None where it is none."""
    octets = data
    following = _FOLLOWING
    done = _DONE
    symbols = _SYMBOLS
    # No symbol is shorter than five bits.
    room = bytearray((end - start) * 8 // 5 + 1)
    made = room
    count = 0
    node = 0
    for i in range(start, end):
        at = node * 16 + (octets[i] >> 4)
        if done[at] != _NOTHING:
            if done[at] == _WRONG:
                return None
            made[count] = symbols[at]
            count += 1
        at = following[at] * 16 + (octets[i] & 15)
        if done[at] != _NOTHING:
            if done[at] == _WRONG:
                return None
            made[count] = symbols[at]
            count += 1
        node = following[at]
    if _ENDS[node] == 0:
        return None
    return bytes(room[:count])
