# cython: language_level=3, freethreading_compatible=True, boundscheck=False, wraparound=False
"""The compiled version of octets.py, which tells what these functions promise."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.string cimport memcpy

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #if defined(__SSE2__)
    #include <emmintrin.h>
    #endif

    static inline uint64_t canter_word(const unsigned char *at) {
        uint64_t word;
        memcpy(&word, at, 8);
        return word;
    }

    static inline uint32_t canter_half(const unsigned char *at) {
        uint32_t word;
        memcpy(&word, at, 4);
        return word;
    }

    #define CANTER_ONES 0x0101010101010101ULL

    /* Whether a byte of the word is below 32, or 127. */
    static inline int canter_has_control(uint64_t word) {
        uint64_t below = (word - CANTER_ONES * 32) & ~word;
        uint64_t del = word ^ (CANTER_ONES * 127);
        return (((below | ((del - CANTER_ONES) & ~del)) & (CANTER_ONES * 128)) != 0);
    }

    static Py_ssize_t canter_value_end(const unsigned char *data, Py_ssize_t pos, Py_ssize_t end) {
    #if defined(__SSE2__)
        const __m128i space = _mm_set1_epi8(32), del = _mm_set1_epi8(127);
        while (pos + 16 <= end) {
            __m128i block = _mm_loadu_si128((const __m128i *)(data + pos));
            /* Unsigned: a byte is at least 32 where its maximum with 32 is itself. */
            __m128i good = _mm_cmpeq_epi8(_mm_max_epu8(block, space), block);
            __m128i bad = _mm_cmpeq_epi8(block, del);
            int mask = _mm_movemask_epi8(_mm_andnot_si128(bad, good));
            if (mask != 0xffff) {
                pos += __builtin_ctz(~mask);
                if (data[pos] != 9) return pos;
                pos++;
            } else {
                pos += 16;
            }
        }
    #else
        while (pos + 8 <= end && !canter_has_control(canter_word(data + pos))) pos += 8;
    #endif
        while (pos < end && (data[pos] >= 32 || data[pos] == 9) && data[pos] != 127) pos++;
        return pos;
    }

    #define CANTER_LOWER 0x2020202020202020ULL

    /* A letter with bit 5 set is in lower case; digits and dashes have it already. */
    static int canter_same_name(const unsigned char *name, const unsigned char *lower,
                                Py_ssize_t length) {
        if (length >= 8) {
            Py_ssize_t i = 0;
            for (; i + 8 <= length; i += 8)
                if ((canter_word(name + i) | CANTER_LOWER) != canter_word(lower + i)) return 0;
            i = length - 8;
            return (canter_word(name + i) | CANTER_LOWER) == canter_word(lower + i);
        }
        if (length >= 4) {
            const uint32_t bits = 0x20202020U;
            return (canter_half(name) | bits) == canter_half(lower)
                && (canter_half(name + length - 4) | bits) == canter_half(lower + length - 4);
        }
        for (Py_ssize_t i = 0; i < length; i++)
            if ((name[i] | 32) != lower[i]) return 0;
        return 1;
    }

    static int canter_is_plain(PyObject *text) {
        if (!PyUnicode_IS_COMPACT_ASCII(text)) return 0;
        const unsigned char *data = (const unsigned char *)PyUnicode_DATA(text);
        Py_ssize_t length = PyUnicode_GET_LENGTH(text), i = 0;
        for (; i + 8 <= length; i += 8)
            if (canter_has_control(canter_word(data + i))) return 0;
        for (; i < length; i++)
            if (data[i] < 32 || data[i] == 127) return 0;
        return 1;
    }

    """
    Py_ssize_t canter_value_end(const unsigned char *data, Py_ssize_t pos, Py_ssize_t end) noexcept
    bint canter_same_name(const unsigned char *name, const unsigned char *lower,
                          Py_ssize_t length) noexcept
    bint canter_is_plain(object text) noexcept
    int PyUnicode_KIND(object text) noexcept
    int PyUnicode_1BYTE_KIND
    Py_ssize_t PyUnicode_GET_LENGTH(object text) noexcept
    const char *PyUnicode_1BYTE_DATA(object text) noexcept


cpdef Py_ssize_t value_end(bytes data, Py_ssize_t pos, Py_ssize_t end) noexcept:
    """The position of the first byte from `pos` on that no field value holds; at most `end`."""
    return canter_value_end(<const unsigned char *>PyBytes_AS_STRING(data), pos, end)


cpdef bint same_name(bytes data, Py_ssize_t pos, bytes lower, Py_ssize_t at,
                     Py_ssize_t length) noexcept:
    """Whether the `length` bytes at `pos`, in any case, are those of `lower` at `at`."""
    return canter_same_name(<const unsigned char *>PyBytes_AS_STRING(data) + pos,
                            <const unsigned char *>PyBytes_AS_STRING(lower) + at, length)


cpdef bint is_plain(str text) noexcept:
    """Whether it is printable ASCII, and spaces, only."""
    return canter_is_plain(text)


cpdef long long plain_number(str text) noexcept:
    """The number that up to 18 digits without a leading zero say; -1 for any other text."""
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(text)
    cdef Py_ssize_t i
    cdef const char *digits
    cdef long long number = 0
    if not 1 <= length <= 18 or PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND:
        return -1
    digits = <const char *>PyUnicode_1BYTE_DATA(text)
    if digits[0] == c"0" and length > 1:
        return -1
    for i in range(length):
        if not c"0" <= digits[i] <= c"9":
            return -1
        number = number * 10 + (digits[i] - c"0")
    return number


cpdef bytes response_head(bytes start, bytes date_line, list fields, long long length, bytes end):
    """A response's head: two pieces as they are, the fields, a Content-Length unless -1, the end.

    Written into one bytes object; whatever is not a tuple of two one-byte strings is left to
    Python.
    """
    cdef Py_ssize_t size = (
        PyBytes_GET_SIZE(start) + PyBytes_GET_SIZE(date_line) + PyBytes_GET_SIZE(end)
    )
    cdef bytes made
    cdef char *at
    cdef bytes length_line = b""
    for field in fields:
        if not _is_simple(field):
            return _with_wide_text(start, date_line, fields, length, end)
        size += PyUnicode_GET_LENGTH(<object>PyTuple_GET_ITEM(field, 0))
        size += PyUnicode_GET_LENGTH(<object>PyTuple_GET_ITEM(field, 1)) + 4
    if length >= 0:
        length_line = b"Content-Length: %d\r\n" % length
        size += PyBytes_GET_SIZE(length_line)
    made = PyBytes_FromStringAndSize(NULL, size)
    at = PyBytes_AS_STRING(made)
    at = _with_bytes(at, start)
    at = _with_bytes(at, date_line)
    for field in fields:
        at = _with_text(at, <object>PyTuple_GET_ITEM(field, 0))
        at[0] = 58  # a colon and a space
        at[1] = 32
        at = _with_text(at + 2, <object>PyTuple_GET_ITEM(field, 1))
        at[0] = 13
        at[1] = 10
        at += 2
    at = _with_bytes(at, length_line)
    _with_bytes(at, end)
    return made


cdef inline bint _is_simple(field) noexcept:
    return (
        type(field) is tuple
        and PyTuple_GET_SIZE(field) == 2
        and _is_one_byte(<object>PyTuple_GET_ITEM(field, 0))
        and _is_one_byte(<object>PyTuple_GET_ITEM(field, 1))
    )


cdef inline bint _is_one_byte(text) noexcept:
    return type(text) is str and PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND


cdef inline char *_with_bytes(char *at, bytes piece) noexcept:
    cdef Py_ssize_t size = PyBytes_GET_SIZE(piece)
    memcpy(at, PyBytes_AS_STRING(piece), size)
    return at + size


cdef inline char *_with_text(char *at, text) noexcept:
    cdef Py_ssize_t size = PyUnicode_GET_LENGTH(text)
    memcpy(at, PyUnicode_1BYTE_DATA(text), size)
    return at + size


cdef bytes _with_wide_text(bytes start, bytes date_line, list fields, long long length, bytes end):
    text = "".join([f"{name}: {value}\r\n" for name, value in fields])
    if length >= 0:
        text += f"Content-Length: {length}\r\n"
    return b"".join((start, date_line, text.encode("latin-1"), end))
