# The C types of secure.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.engine.threaded.connection cimport Connection
from canter.engine.tls cimport TlsTransport

cdef object _NOTHING
cdef object _SHAKING
cdef object _CLEAR
cdef Py_ssize_t _READ_BYTES


cdef class TlsConnection(Connection):
    cdef bint _agreed
    cdef object _ahead
    cdef public TlsTransport transport

    @cython.locals(transport=TlsTransport)
    cpdef read(self)
    cpdef receive(self, bytes data)
    @cython.locals(count=cython.Py_ssize_t)
    cpdef send(self, bytes data)
