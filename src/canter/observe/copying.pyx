# cython: language_level=3, freethreading_compatible=True, boundscheck=False, wraparound=False
"""The compiled version of copying.py, which tells what these functions promise."""

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.ref cimport PyObject, Py_DECREF
from libc.string cimport memcpy

cdef extern from "Python.h":
    void PyErr_Clear()

cdef extern from *:
    """
    #if defined(__SSE2__)
    #include <emmintrin.h>
    #endif

    static int canter_is_quotable(PyObject *text) {
        if (!PyUnicode_IS_COMPACT_ASCII(text)) return 0;
        const unsigned char *data = (const unsigned char *)PyUnicode_DATA(text);
        Py_ssize_t length = PyUnicode_GET_LENGTH(text), i = 0;
    #if defined(__SSE2__)
        const __m128i space = _mm_set1_epi8(32), del = _mm_set1_epi8(127);
        const __m128i quote = _mm_set1_epi8(34), backslash = _mm_set1_epi8(92);
        for (; i + 16 <= length; i += 16) {
            __m128i block = _mm_loadu_si128((const __m128i *)(data + i));
            /* Signed: ASCII has no byte above 127. */
            __m128i bad = _mm_or_si128(
                _mm_or_si128(_mm_cmplt_epi8(block, space), _mm_cmpeq_epi8(block, del)),
                _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)));
            if (_mm_movemask_epi8(bad)) return 0;
        }
    #endif
        for (; i < length; i++)
            if (data[i] < 32 || data[i] == 127 || data[i] == 34 || data[i] == 92) return 0;
        return 1;
    }

    /* The texts with a value between each two; NULL without an error where one is not ASCII. */
    static PyObject *canter_joined(PyObject *texts, PyObject *values) {
        Py_ssize_t count = PyList_GET_SIZE(values), size = 0, i;
        for (i = 0; i <= count; i++) {
            PyObject *text = PyList_GET_ITEM(texts, i);
            if (!PyUnicode_IS_COMPACT_ASCII(text)) return NULL;
            size += PyUnicode_GET_LENGTH(text);
            if (i == count) break;
            text = PyList_GET_ITEM(values, i);
            if (!PyUnicode_IS_COMPACT_ASCII(text)) return NULL;
            size += PyUnicode_GET_LENGTH(text);
        }
        PyObject *made = PyUnicode_New(size, 127);
        if (made == NULL) return NULL;
        char *at = (char *)PyUnicode_DATA(made);
        for (i = 0; i <= count; i++) {
            PyObject *text = PyList_GET_ITEM(texts, i);
            size = PyUnicode_GET_LENGTH(text);
            memcpy(at, PyUnicode_DATA(text), size);
            at += size;
            if (i == count) break;
            text = PyList_GET_ITEM(values, i);
            size = PyUnicode_GET_LENGTH(text);
            memcpy(at, PyUnicode_DATA(text), size);
            at += size;
        }
        return made;
    }
    """
    bint canter_is_quotable(object text) noexcept
    PyObject *canter_joined(object texts, object values)


cpdef copy_into(unsigned char[::1] view, Py_ssize_t at, bytes text, Py_ssize_t length):
    """Copy the first `length` bytes of `text` to place `at`; the view has room for them."""
    if length > 0:
        memcpy(&view[at], PyBytes_AS_STRING(text), length)


cpdef bint is_quotable(str text) noexcept:
    """Whether it is printable ASCII, and spaces, without a double quote and a backslash."""
    return canter_is_quotable(text)


cpdef str joined(list texts, list values):
    """The texts, one more than there are values, with a value between each two."""
    cdef PyObject *made
    if len(texts) != len(values) + 1:
        raise ValueError("there must be one text more than there are values")
    made = canter_joined(texts, values)
    if made is not NULL:
        line = <object>made
        Py_DECREF(line)
        return line
    PyErr_Clear()
    return "".join([part for pair in zip(texts, values) for part in pair]) + texts[len(texts) - 1]
