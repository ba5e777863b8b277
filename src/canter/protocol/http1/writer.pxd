# The C types of writer.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.response cimport ResponseHead
from canter.protocol.writer cimport ResponseWriter

cdef int _NO_CONTENT
cdef int _NOT_MODIFIED
cdef int _HAS_DATE
cdef int _HAS_LENGTH
cdef int _HAS_SERVER
cdef int _WANTS_CLOSE
cdef dict _status_lines


cdef class Writer(ResponseWriter):
    @cython.locals(facts=cython.int, parts=list, fields=list)
    cpdef bytes head(self, ResponseHead response, long long body_length, bytes date_line)
    @cython.locals(code=cython.int, length=cython.longlong)
    cdef bytes _frame(self, ResponseHead response, long long body_length)
    cpdef bytes data(self, bytes block)
    cpdef bytes end(self)
