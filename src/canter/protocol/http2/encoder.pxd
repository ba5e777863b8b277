# The C types of encoder.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

cdef long long _FIRST_DYNAMIC
cdef dict _STATIC
cdef dict _STATIC_NAMES
cdef int _KEPT
cdef int _KEPT_MASK
cdef int _PLAIN
cdef int _NEVER
cdef int _MASK


cdef class Encoder:
    cdef dict _numbers
    cdef object _order
    cdef long long _added
    cdef Py_ssize_t _size
    cdef Py_ssize_t _limit
    cdef bint _resized
    cdef Py_ssize_t _smallest

    cpdef resize(self, long long size)
    @cython.locals(block=bytearray, numbers=dict)
    cpdef bytes encode(self, list fields)
    @cython.locals(name=bytes, value=bytes, number=cython.longlong, size=cython.Py_ssize_t)
    cdef _spell(self, bytearray block, tuple field)
    cdef _tell_size(self, bytearray block)
    cdef _add(self, tuple field, Py_ssize_t size)
    cdef _make_room(self, Py_ssize_t limit)


cdef _put_integer(bytearray block, int first, int mask, long long value)
