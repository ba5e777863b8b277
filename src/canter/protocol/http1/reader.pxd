# The C types of reader.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.http1.body cimport BodyReader
from canter.protocol.http1.writer cimport Writer
from canter.protocol.octets cimport plain_number
from canter.protocol.request cimport Request
from canter.protocol.scheme cimport apply_scheme

cdef int _DONE
cdef int _MORE
cdef int _MALFORMED
cdef int _EMPTY
cdef int _LINE
cdef int _FIELDS
cdef int _LINE_READ
cdef long long _HTTP_10
cdef long long _ODD_VERSION
cdef long long _ODD_METHOD
cdef long long _ODD_TARGET
cdef long long _PERCENT
cdef long long _HOST
cdef long long _CONTENT_LENGTH
cdef long long _CONNECTION
cdef long long _EXPECT
cdef long long _UPGRADE
cdef long long _ASIDE
cdef long long _HOST_AGAIN
cdef long long _CONTENT_LENGTH_AGAIN
cdef long long _FORWARDED
cdef long long _FORWARDED_AGAIN
cdef long long _TRANSFER_ENCODING
cdef long long _FRAMED
cdef long long _SINGLE_AGAIN
cdef long long _JUDGED


cdef class Reader(BodyReader):
    cdef object _leniency
    cdef Py_ssize_t _line_limit
    cdef bint _straightens
    cdef object _trust
    cdef bint _tells_client
    cdef bint _always_forwarded
    cdef int _empty_lines
    cdef bint _http_10
    cdef str _authority
    cdef str _host
    cdef object _told

    @cython.locals(phase=cython.int, outcome=cython.int)
    cpdef next_request(self, dict base)
    cpdef Writer answer(self, Request request, bint keep_alive)
    @cython.locals(pos=cython.Py_ssize_t, behind=cython.Py_ssize_t, outcome=cython.int,
                   facts=cython.longlong, environ=dict)
    cdef bint _read_line(self, dict base) except -1
    cpdef Request judge_head(self, dict environ, long long line_facts, long long facts, list aside)
    @cython.locals(environ=dict, request=Request)
    cdef Request _conclude(self)
    @cython.locals(http_10=cython.bint, request=Request)
    cdef Request _request_of(self, dict environ, long long facts)
    @cython.locals(environ=dict, http_10=cython.bint)
    cdef int _judge(self, Request request, long long facts) except -1
    @cython.locals(environ=dict, length=cython.longlong)
    cdef int _judge_length(self, Request request, long long facts) except -1
    @cython.locals(connection=str, http_10=cython.bint)
    cdef int _judge_connection(self, Request request, long long facts) except -1
    cdef bytes _straightened(self)
