# The C types of reader.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.gateway.reader cimport OneRequestReader
from canter.protocol.gateway.writer cimport GatewayWriter
from canter.protocol.request cimport Request
from canter.protocol.uwsgi.packet cimport packet_size, read_variables


cdef class Reader(OneRequestReader):
    cdef bint _is_mounted

    @cython.locals(size=cython.Py_ssize_t, end=cython.Py_ssize_t)
    cpdef _take_head(self)
    cpdef _amend(self, Request request)
    cpdef GatewayWriter answer(self, Request request, bint keep_alive)
