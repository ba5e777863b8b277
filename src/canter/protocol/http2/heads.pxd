# The C types of heads.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.http1.reader cimport Reader
from canter.protocol.http2.fields cimport Field, Name
from canter.protocol.request cimport Request
from canter.protocol.response cimport ResponseHead

cdef int _ORDINARY
cdef int _METHOD
cdef int _SCHEME
cdef int _PATH
cdef int _AUTHORITY
cdef int _TE
cdef int _MALFORMED
cdef int _OF_CONNECTIONS
cdef long long _ODD_METHOD
cdef long long _ODD_TARGET
cdef long long _PERCENT
cdef long long _HOST
cdef long long _ASIDE
cdef long long _SINGLE
cdef int _AGAIN_SHIFT
cdef int _HAS_DATE
cdef int _HAS_LENGTH
cdef int _HAS_SERVER
cdef int _CHUNKED
cdef frozenset _METHODS
cdef Py_ssize_t _LINE_BYTES
cdef Py_ssize_t _HOST_BYTES
cdef Py_ssize_t _AROUND_BYTES
cdef Py_ssize_t _LINE_END_BYTES
cdef dict _NOTHING
cdef dict _STATUS
cdef tuple _SERVER
cdef dict _lowered


cdef class HeadJudge:
    cdef Reader _reader
    cdef Py_ssize_t _line_limit
    cdef Py_ssize_t _count_limit
    cdef Py_ssize_t _field_limit
    cdef Py_ssize_t _block_limit
    cdef dict _environ
    cdef list _aside
    cdef long long _facts
    cdef Py_ssize_t _count
    cdef Py_ssize_t _left
    cdef str _method
    cdef str _scheme
    cdef str _path
    cdef str _authority

    cdef _begin(self, dict environ)
    @cython.locals(environ=dict, aside=list, facts=cython.longlong, field=Field, kind=cython.int,
                   line_facts=cython.longlong, request=Request)
    cpdef Request request(self, list fields, dict base, bint ended)
    @cython.locals(name=Name, text=str, size=cython.Py_ssize_t, fact=cython.longlong, key=str,
                   environ=dict)
    cdef _take(self, Field field)
    @cython.locals(kind=cython.int, text=str)
    cdef _take_pseudo(self, Field field)
    cdef _too_much(self, Py_ssize_t count)
    @cython.locals(environ=dict, size=cython.Py_ssize_t)
    cdef _settle_host(self, str authority)
    @cython.locals(environ=dict, method=str, path=str, facts=cython.longlong, query=str)
    cdef long long _settle_line(self) except -1


@cython.locals(known=bytes)
cdef bytes _lower(str name)
cdef tuple _status(int code)

@cython.locals(fields=list, facts=cython.int, lowered=bytes, without_length=cython.bint)
cpdef list response_fields(ResponseHead head, long long length, bytes date)
