# The C types of reader.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.gateway.variables cimport request_from
from canter.protocol.reader cimport RequestReader
from canter.protocol.request cimport Request

cdef object _HEAD
cdef object _BODY
cdef object _OVER
cdef object _FAILED
cdef object _HEAD_WITH_BODY
cdef object _HEAD_WITHOUT_BODY
cdef object _BODY_READ


cdef class OneRequestReader(RequestReader):
    # Public: a format that is not compiled reads its head out of them.
    cdef public object _data
    cdef public object _limits
    cdef object _leniency
    cdef object _phase
    cdef object _fault
    cdef long long _remaining
    cdef bint _trusted

    cpdef _take_head(self)
    cpdef _amend(self, Request request)
    cpdef feed(self, bytes data)
    @cython.locals(variables=list, told=dict, request=Request)
    cpdef next_request(self, dict base)
    cpdef bytes read_body(self, Py_ssize_t maximum)
    cdef _move(self, event)


cpdef bytes told_line(dict told)
