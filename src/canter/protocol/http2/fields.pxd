# The C types of fields.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.octets cimport value_end

cdef int _METHOD
cdef int _SCHEME
cdef int _PATH
cdef int _TE
cdef dict _KNOWN
cdef dict _learned
cdef Py_ssize_t _LEARNED_NAME_BYTES


cdef class Name:
    cdef readonly bytes raw
    cdef readonly str key
    cdef readonly long long fact
    cdef readonly int kind


@cython.locals(name=Name)
cpdef Name name_of(bytes raw)


cdef class Field:
    cdef readonly Name name
    cdef readonly str text
    cdef readonly Py_ssize_t size
    cdef readonly bint good


cpdef Field field_of(bytes name, bytes value)
