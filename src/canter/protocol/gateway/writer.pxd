# The C types of writer.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.octets cimport response_head
from canter.protocol.response cimport ResponseHead
from canter.protocol.writer cimport ResponseWriter

cdef int _NO_CONTENT
cdef int _NOT_MODIFIED
cdef int _HAS_LENGTH
cdef bytes _LINE_END


cdef class GatewayWriter(ResponseWriter):
    cdef bytes _before_status

    @cython.locals(code=cython.int, length=cython.longlong, fields=list, start=bytes)
    cpdef bytes head(self, ResponseHead response, long long body_length, bytes date_line)
    cpdef bytes data(self, bytes block)
    cpdef bytes end(self)
