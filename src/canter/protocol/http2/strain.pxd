# The C types of strain.py, which stays ordinary Python: Cython reads this file beside it.

cdef long long _LIMIT
cdef long long _BYTES_PER_UNIT


cdef class Strain:
    cdef long long _units
    cdef long long _bytes

    cpdef bint add(self, long long units)
    cpdef relieve(self, long long units)
    cpdef moved(self, long long count)
