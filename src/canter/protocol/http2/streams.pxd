# The C types of streams.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.http2.fields cimport Field
from canter.protocol.http2.heads cimport HeadJudge, response_fields
from canter.protocol.reader cimport RequestReader
from canter.protocol.request cimport Request
from canter.protocol.response cimport ResponseHead
from canter.protocol.writer cimport ResponseWriter

cdef int _METHOD
cdef int _PATH

@cython.locals(method=str, path=str, field=Field, kind=cython.int)
cdef bytes _request_line(list fields)


cdef class StreamReader(RequestReader):
    cdef HeadJudge _judge
    cdef object _limits
    cdef object _pieces
    cdef Py_ssize_t _size
    cdef long long _length
    cdef long long _came
    cdef object _fault
    cdef public bint ended
    cdef public list fields
    cdef public list head
    cdef public StreamWriter writer

    cpdef feed(self, bytes data)
    cpdef end(self)
    cdef _fail(self, fault)
    @cython.locals(request=Request)
    cpdef next_request(self, dict base)
    @cython.locals(piece=bytes)
    cpdef bytes read_body(self, Py_ssize_t maximum)
    cpdef ResponseWriter answer(self, Request request, bint keep_alive)


cdef class StreamWriter(ResponseWriter):
    cdef StreamReader _reader

    @cython.locals(code=cython.int, length=cython.longlong, told=cython.longlong)
    cpdef bytes head(self, ResponseHead response, long long body_length, bytes date_line)
    cpdef bytes data(self, bytes block)
    cpdef bytes end(self)
