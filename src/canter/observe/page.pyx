# cython: language_level=3, freethreading_compatible=True, boundscheck=False, wraparound=False, cdivision=True
"""The compiled version of page.py, which tells what this class promises.

ASCII is gathered in memory of its own. A piece that is something else is rare: it goes, with all
before it, to an ordinary string.
"""

from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.ref cimport PyObject, Py_DECREF
from libc.string cimport memcpy

cdef extern from *:
    """
    #if defined(__SSE2__)
    #include <emmintrin.h>
    static inline int canter_copy_block(char *to, const char *from) {
        const __m128i block = _mm_loadu_si128((const __m128i *)from);
        /* Signed: ASCII has no byte above 127. */
        const __m128i bad = _mm_or_si128(
            _mm_or_si128(
                _mm_cmplt_epi8(block, _mm_set1_epi8(32)), _mm_cmpeq_epi8(block, _mm_set1_epi8(127))),
            _mm_or_si128(
                _mm_cmpeq_epi8(block, _mm_set1_epi8(34)), _mm_cmpeq_epi8(block, _mm_set1_epi8(92))));
        _mm_storeu_si128((__m128i *)to, block);
        return !_mm_movemask_epi8(bad);
    }
    #endif

    /* Copies ASCII as far as it is good to be quoted; 0 where not all of it is. */
    static int canter_copy_quotable(char *to, const char *from, Py_ssize_t length) {
        Py_ssize_t i = 0;
    #if defined(__SSE2__)
        if (length >= 16) {
            for (; i + 16 <= length; i += 16)
                if (!canter_copy_block(to + i, from + i)) return 0;
            if (i < length) /* once more the end, together with what was copied before it */
                return canter_copy_block(to + length - 16, from + length - 16);
            return 1;
        }
    #endif
        for (; i < length; i++) {
            const char byte = from[i];
            if (byte < 32 || byte == 127 || byte == 34 || byte == 92) return 0;
            to[i] = byte;
        }
        return 1;
    }

    static inline int canter_is_ascii(PyObject *text) { return PyUnicode_IS_COMPACT_ASCII(text); }

    static inline const char *canter_ascii(PyObject *text) {
        return (const char *)PyUnicode_DATA(text);
    }

    static PyObject *canter_made(const char *data, Py_ssize_t length) {
        PyObject *made = PyUnicode_New(length, 127);
        if (made != NULL) memcpy(PyUnicode_DATA(made), data, length);
        return made;
    }
    """
    bint canter_copy_quotable(char *to, const char *from_, Py_ssize_t length) noexcept
    bint canter_is_ascii(object text) noexcept
    const char *canter_ascii(object text) noexcept
    PyObject *canter_made(const char *data, Py_ssize_t length) except NULL

cdef enum:
    _FIRST_ROOM = 500  # the commonest lines fit, and Python's own allocator has it
    _DIGITS = 20  # of a number of 64 bits, with its sign


cdef class Page:
    """Takes pieces in order; `whole` is all of them."""

    def __cinit__(self):
        self._data = <char *>PyMem_Malloc(_FIRST_ROOM)
        if self._data is NULL:
            raise MemoryError
        self._room = _FIRST_ROOM

    def __dealloc__(self):
        PyMem_Free(self._data)

    cdef int _make_room(self, Py_ssize_t count) except -1:
        """Have memory for so many more bytes."""
        cdef Py_ssize_t room = self._used + count
        cdef char *data
        room += room // 2
        data = <char *>PyMem_Realloc(self._data, room)
        if data is NULL:
            raise MemoryError
        self._data = data
        self._room = room
        return 0

    cpdef int text(self, str piece) except -1:
        """Write the piece as it is."""
        cdef Py_ssize_t length = len(piece)
        if canter_is_ascii(piece):
            if length > self._room - self._used:
                self._make_room(length)
            memcpy(self._data + self._used, canter_ascii(piece), length)
            self._used += length
        else:
            self._before = self.whole() + piece
            self._used = 0
        return 0

    cpdef int number(self, long long value) except -1:
        """Write an integer of at most 64 bits in decimal."""
        cdef char digits[_DIGITS]
        cdef int first = _DIGITS
        # As an unsigned number every one of them has an opposite.
        cdef unsigned long long left = value
        if value < 0:
            left = 0 - left
        while True:
            first -= 1
            digits[first] = <char>(48 + left % 10)
            left //= 10
            if not left:
                break
        if value < 0:
            first -= 1
            digits[first] = b"-"
        if _DIGITS > self._room - self._used:
            self._make_room(_DIGITS)
        memcpy(self._data + self._used, digits + first, _DIGITS - first)
        self._used += _DIGITS - first
        return 0

    cpdef bint quoted(self, str piece) except -1:
        """Write the piece, if it is printable ASCII without a double quote and a backslash."""
        cdef Py_ssize_t length = len(piece)
        if not canter_is_ascii(piece):
            return False
        if length > self._room - self._used:
            self._make_room(length)
        if not canter_copy_quotable(self._data + self._used, canter_ascii(piece), length):
            return False
        self._used += length
        return True

    cpdef str whole(self):
        """All pieces."""
        made = <object>canter_made(self._data, self._used)
        Py_DECREF(made)
        return made if self._before is None else self._before + made
