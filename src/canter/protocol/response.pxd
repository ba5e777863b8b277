# The C types of response.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.octets cimport is_plain

cdef int _HAS_LENGTH
cdef int _ORDINARY
cdef int _DATE
cdef int _SERVER
cdef int _CONTENT_LENGTH
cdef int _CONNECTION
cdef int _HOP_BY_HOP
cdef Py_ssize_t _LENGTH_DIGITS
cdef dict _known_names
cdef dict _known_statuses


cdef class ResponseHead:
    cdef public str status
    cdef public int code
    cdef public list declared
    cdef public list fields
    cdef public long long content_length
    cdef public int facts
    cdef public tuple dropped


cdef int _judge_name(str name) except -1

@cython.locals(fields=list, head=ResponseHead, ordinary=cython.bint, code=object, kind=cython.int)
cpdef ResponseHead judge_response(object status, object headers)

cdef bint _note_special(ResponseHead head, int kind, str value) except -1

@cython.locals(fields=list)
cdef _take_out(ResponseHead head)

@cython.locals(length=cython.longlong, digit=cython.Py_UCS4)
cdef _declare_length(ResponseHead head, str value)
