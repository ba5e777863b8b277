# The C types of access_line.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.observe.access_entry cimport AccessEntry
from canter.observe.copying cimport is_quotable, joined

cdef int _ENVIRON
cdef int _CLIENT
cdef int _TIME
cdef int _REQUEST_LINE
cdef int _STATUS
cdef int _BODY_BYTES
cdef int _MICROSECONDS
cdef int _OUTCOME
cdef int _USER
cdef dict _NOTHING


cdef class Field:
    cdef public int source
    cdef public str key
    cdef public object value
    cdef public bint foreign


cdef class ClfClock:
    cdef public double start
    cdef public double end
    cdef public str text

    cpdef str at(self, double epoch_seconds)
    cpdef str advance(self, double epoch_seconds)


cdef class AccessLine:
    cdef list _texts
    cdef list _fields
    cdef ClfClock _clock

    @cython.locals(environ=dict, values=list, field=Field, value=str)
    cpdef str line(self, AccessEntry entry)
    @cython.locals(source=cython.int)
    cdef str _value(self, Field field, AccessEntry entry, dict environ)


cdef str _request_line(AccessEntry entry, dict environ)
