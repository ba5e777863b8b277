# The C types of writer.py, which stays ordinary Python: Cython reads this file beside it.

from canter.protocol.response cimport ResponseHead


cdef class ResponseWriter:
    cdef public bint http_10
    cdef public bint head_only
    cdef public bint keep_alive
    cdef public bint chunked
    cdef public bint bodyless
    cdef public long long remaining
    cdef public long long largest

    cpdef bytes head(self, ResponseHead response, long long body_length, bytes date_line)
    cpdef bytes data(self, bytes block)
    cpdef bytes end(self)
