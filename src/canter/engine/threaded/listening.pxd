# The C types of listening.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.engine.threaded.connection cimport Connection
from canter.engine.threaded.loop cimport Loop
from canter.engine.wire cimport accept, close_socket

cdef int _ACCEPTS_A_TURN
cdef int _ACCEPTS_A_TURN_SHARED


cdef class Gate:
    cdef public object listener
    cdef public object sock
    cdef int _number
    cdef object _config
    cdef Loop _loop
    cdef dict _base
    cdef object _keyring
    cdef bint _may_be_http2
    cdef object _readers_for
    cdef str _host
    cdef object _make_reader
    cdef bint _is_plain

    @cython.locals(connection=Connection)
    cpdef Connection connection(self, int fd, str host, str port)
    cdef _turn_to(self, str host)
    cdef _layered(self, int fd, reader)


cdef class Doors:
    cdef object _config
    cdef Py_ssize_t _capacity
    cdef list _gates
    cdef dict _open
    cdef Loop _loop
    cdef object _neighbours
    cdef object _words
    cdef object _load
    cdef object _log
    cdef list _closing
    cdef bint _listening
    cdef long long _paused_until_ns
    cdef int _at_once
    cdef Py_ssize_t _review_above
    cdef public long long accepted

    @cython.locals(held=cython.Py_ssize_t)
    cpdef _accept(self, int fd)
    cdef bint _has_company(self) except -1
    cdef _accept_some(self, int fd)
    @cython.locals(gate=Gate, full=cython.bint, before=cython.longlong)
    cdef bint _accept_one(self, int fd) except -1
    @cython.locals(fd=cython.int, host=str, port=str, taken=tuple)
    cdef bint _take(self, Gate gate) except -1
