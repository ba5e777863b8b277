# The C types of tls.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.engine.latch cimport Latch
from canter.engine.wire cimport receive, transmit

cdef Py_ssize_t _RAW_BYTES
cdef Py_ssize_t _RECORD_BYTES
cdef Py_ssize_t _SEALED_AT_ONCE_BYTES
cdef object _SHAKING
cdef object _OPEN
cdef object _NOTHING


cdef class TlsTransport:
    cdef object _incoming
    cdef object _outgoing
    cdef object _unsent
    cdef Py_ssize_t _pledged
    cdef bint _begun
    cdef bint _divided
    cdef bint _ragged
    cdef bint _resets
    cdef Latch _lock
    cdef public object ahead
    cdef public bint peer_ended
    cdef public object sock
    cdef public object state
    cdef public object tls

    cpdef read(self, Py_ssize_t maximum_bytes)
    @cython.locals(pieces=list, missing=cython.Py_ssize_t, drained=cython.bint, piece=bytes)
    cdef _read(self, Py_ssize_t maximum_bytes)
    @cython.locals(most=cython.Py_ssize_t, asked=cython.Py_ssize_t)
    cdef bytes _open(self, Py_ssize_t maximum_bytes)
    cpdef Py_ssize_t put(self, data) except -1
    @cython.locals(size=cython.Py_ssize_t, sent=cython.Py_ssize_t, count=cython.Py_ssize_t,
                   done=cython.Py_ssize_t, sealed=bytes)
    cdef Py_ssize_t _seal_all(self, data) except -1
    cdef Py_ssize_t _settle(self) except -1
    cdef bint _push(self) except -1
    cdef _collect(self)
