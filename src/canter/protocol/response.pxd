# The C types of response.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

cdef int _ORDINARY
cdef int _DATE
cdef int _SERVER
cdef int _CONTENT_LENGTH
cdef int _CONNECTION
cdef int _HOP_BY_HOP
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


@cython.locals(fields=list, head=ResponseHead, ordinary=cython.bint, code=object, kind=object)
cpdef ResponseHead judge_response(object status, object headers)
