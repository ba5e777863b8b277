# The C types of reader.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.http1.scan cimport Scan
from canter.protocol.request cimport Request

cdef int _DONE
cdef int _MORE
cdef int _MALFORMED
cdef int _TOO_MANY
cdef int _EMPTY
cdef int _LINE
cdef int _FIELDS
cdef int _BODY
cdef int _CHUNK_SIZE
cdef int _CHUNK_DATA
cdef int _CHUNK_END
cdef int _TRAILERS
cdef int _FAILED
cdef int _HANDED_OVER
cdef int _LINE_READ
cdef int _HEAD_WITHOUT_BODY
cdef int _HEAD_WITH_LENGTH
cdef int _HEAD_WITH_CHUNKS
cdef int _BODY_READ
cdef int _CHUNK_OPENED
cdef int _CHUNK_READ
cdef int _CHUNK_CLOSED
cdef int _LAST_CHUNK
cdef int _TRAILERS_READ
cdef int _FAULT
cdef int _HAND_OVER
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
cdef long long _FORWARDED_AGAIN
cdef long long _HOST_AGAIN
cdef long long _CONTENT_LENGTH_AGAIN
cdef long long _FRAMED
cdef long long _SINGLE_AGAIN
cdef long long _JUDGED
cdef int _COUNT_SHIFT
cdef int _WIDTH
cdef int _ILLEGAL
cdef bytes _MOVES


cdef class Reader:
    cdef object _limits
    cdef object _leniency
    cdef Scan _scan
    cdef object _trust
    cdef object _fault
    cdef bint _straightens
    cdef bint _always_forwarded
    cdef bint _http_10
    cdef Py_ssize_t _line_limit
    cdef Py_ssize_t _field_size
    cdef Py_ssize_t _count_limit
    cdef bytes _data
    cdef Py_ssize_t _pos
    cdef int _phase
    cdef dict _environ
    cdef list _aside
    cdef long long _facts
    cdef Py_ssize_t _block_left
    cdef int _empty_lines
    cdef str _authority
    cdef str _host
    cdef long long _remaining
    cdef Py_ssize_t _extensions
    cdef readonly long long body_received
    cdef public bytes request_line

    cpdef feed(self, bytes data)
    @cython.locals(phase=cython.int, pos=cython.Py_ssize_t, behind=cython.Py_ssize_t,
                   outcome=cython.int, facts=cython.longlong, data=bytes, environ=dict)
    cpdef next_request(self, dict base)
    @cython.locals(phase=cython.int)
    cpdef bytes read_body(self, Py_ssize_t maximum)

    @cython.locals(pos=cython.Py_ssize_t, behind=cython.Py_ssize_t, outcome=cython.int,
                   facts=cython.longlong, environ=dict)
    cdef bint _read_line(self, dict base) except -1
    @cython.locals(http_10=cython.bint, request=Request, length=cython.longlong)
    cdef Request _conclude(self, dict environ, long long facts)
    @cython.locals(environ=dict, http_10=cython.bint)
    cdef int _judge(self, Request request, long long facts) except -1
    @cython.locals(pos=cython.Py_ssize_t, data=bytes, count=cython.Py_ssize_t)
    cdef bytes _take(self, Py_ssize_t maximum)
    cdef bint _read_between(self) except -1
    @cython.locals(pos=cython.Py_ssize_t, behind=cython.Py_ssize_t, outcome=cython.int,
                   size=cython.longlong)
    cdef bint _open_chunk(self) except -1
    @cython.locals(pos=cython.Py_ssize_t, behind=cython.Py_ssize_t, outcome=cython.int,
                   environ=dict)
    cdef bint _read_trailers(self) except -1
    cdef _forget_consumed(self)
    @cython.locals(phase=cython.int)
    cdef int _move(self, int event) except -1
