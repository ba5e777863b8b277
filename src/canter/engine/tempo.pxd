# The C types of tempo.py, which stays ordinary Python: Cython reads this file beside it.


cdef class Pace:
    cdef public object tempo
    cdef int _threads
    cdef double _share
    cdef long long _changed_ns
    cdef int _left
    cdef long long _probe_every_ns
