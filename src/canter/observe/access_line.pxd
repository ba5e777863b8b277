# The C types of access_line.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.observe.access_entry cimport AccessEntry
from canter.observe.page cimport Page

cdef int _GENERAL
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

    @cython.locals(environ=dict, page=Page, index=cython.Py_ssize_t, field=Field)
    cpdef str line(self, AccessEntry entry)
    @cython.locals(source=cython.int)
    cdef _write(self, Page page, Field field, AccessEntry entry, dict environ)


@cython.locals(text=str)
cdef _quote(Page page, value)
cdef _write_request_line(Page page, AccessEntry entry, dict environ)
