# The C types of writer.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.octets cimport response_head
from canter.protocol.response cimport ResponseHead
from canter.protocol.writer cimport ResponseWriter

cdef int _NO_CONTENT
cdef int _NOT_MODIFIED
cdef int _HAS_DATE
cdef int _HAS_LENGTH
cdef int _HAS_SERVER
cdef int _WANTS_CLOSE
cdef bytes _CLOSE_LINE
cdef bytes _KEEP_ALIVE_LINE
cdef bytes _CHUNKED_LINE
cdef bytes _EMPTY_LINE
cdef bytes _NO_LINE
cdef dict _beginnings

@cython.locals(known=object)
cdef bytes _beginning(str status)

cdef class Writer(ResponseWriter):
    @cython.locals(facts=cython.int, code=cython.int, length=cython.longlong, fields=list,
                   start=bytes, ending=bytes)
    cpdef bytes head(self, ResponseHead response, long long body_length, bytes date_line)
    cpdef bytes data(self, bytes block)
    cpdef bytes end(self)
