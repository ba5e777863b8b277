# The C types of incoming.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.http1.scan cimport Scan
from canter.protocol.reader cimport RequestReader

cdef int _MALFORMED
cdef int _TOO_MANY
cdef int _LINE
cdef int _FIELDS
cdef int _FAILED
cdef int _HANDED_OVER
cdef int _FAULT
cdef int _HAND_OVER
cdef int _WIDTH
cdef int _ILLEGAL
cdef bytes _MOVES


cdef class Incoming(RequestReader):
    cdef object _limits
    cdef Scan _scan
    cdef Py_ssize_t _field_size
    cdef Py_ssize_t _count_limit
    cdef bytes _data
    cdef Py_ssize_t _pos
    cdef int _phase
    cdef object _fault
    cdef dict _environ
    cdef list _aside
    cdef long long _facts
    cdef Py_ssize_t _block_left

    cpdef feed(self, bytes data)
    @cython.locals(pos=cython.Py_ssize_t, behind=cython.Py_ssize_t, outcome=cython.int,
                   facts=cython.longlong)
    cdef int _read_fields(self, bytes data) except -1
    cdef bytes _line_at(self, Py_ssize_t pos)
    cdef _forget_consumed(self)
    @cython.locals(phase=cython.int)
    cdef int _move(self, int event) except -1
