# The C types of session.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.engine.spool cimport Spool
from canter.protocol.reader cimport RequestReader
from canter.protocol.request cimport Request
from canter.wsgi.exchange cimport Sink

cdef int _IDLE
cdef tuple _MAY_FOLLOW
cdef object _MORE
cdef object _READY_STEP
cdef object _BytesIO


cdef class Session(Sink):
    cdef public RequestReader reader
    cdef public dict base
    cdef public object config
    cdef public int phase
    cdef public Request request
    cdef public object fault
    cdef public long long served
    cdef bint _streams
    cdef Spool _spool

    @cython.locals(followers=cython.int)
    cpdef move(self, int phase)
    cpdef receive(self, bytes data)
    @cython.locals(request=Request)
    cpdef resume(self)
    @cython.locals(reader=RequestReader)
    cdef _await_head(self)
    @cython.locals(length=cython.longlong)
    cdef _begin_body(self, Request request)
    @cython.locals(reader=RequestReader)
    cdef _collect(self, Request request)
    cpdef finish_request(self)
    cpdef drop_body(self)
