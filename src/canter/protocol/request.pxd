# The C types of request.py, which stays ordinary Python: Cython reads this file beside it.

cdef class Request:
    cdef public dict environ
    cdef public str method
    cdef public str target
    cdef public bint http_10
    cdef public bint keep_alive
    cdef public long long body_length
    cdef public bint expect_continue
    cdef public bint names_client
    cdef public bint upgrade
