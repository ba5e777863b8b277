# The C types of backlog.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.engine.wire cimport transmit_file

cdef Py_ssize_t _SEND_AT_ONCE_BYTES
cdef Py_ssize_t _WRAPPED_BYTES
cdef long long _TURN_BYTES
cdef int _MORE_FOLLOWS


cdef class FilePart:
    cdef public long long count
    cdef public int descriptor
    cdef public long long offset
    cdef public object wrap


cdef class Backlog:
    cdef object _changed
    cdef long long _low_water_bytes
    cdef object _parts
    cdef public bint blocked
    cdef public bint broken
    cdef public bint cut
    cdef public object lock
    cdef public long long sent
    cdef public long long size
    cdef public long long unsent

    cpdef wait(self, double seconds)
    cdef _tell(self)
    cpdef append(self, data)
    cpdef append_file(self, FilePart part)
    @cython.locals(count=cython.longlong)
    cpdef flush(self, sock, long long turn_bytes=*)
    @cython.locals(count=cython.longlong)
    cdef long long _send(self, sock, part) except? -2
    @cython.locals(count=cython.longlong, size=cython.longlong)
    cdef long long _send_file(self, sock, FilePart part, long long turn_bytes) except? -2
    cdef _take(self, FilePart part, long long count)
    cdef _wrap_next(self, FilePart part, wrap)
    cpdef give_up(self)
