# The C types of reader.py, which stays ordinary Python: Cython reads this file beside it.

from canter.protocol.request cimport Request
from canter.protocol.writer cimport ResponseWriter


cdef class RequestReader:
    cdef public bytes request_line
    cdef public long long body_received
    cdef public bint owes
    cdef public object successor

    cpdef feed(self, bytes data)
    cpdef next_request(self, dict base)
    cpdef bytes read_body(self, Py_ssize_t maximum)
    cpdef ResponseWriter answer(self, Request request, bint keep_alive)
