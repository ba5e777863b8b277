# The C side of latch.pyx; latch.py tells what this class promises.

cdef extern from "pythread.h":
    ctypedef void *PyThread_type_lock


cdef class Latch:
    cdef PyThread_type_lock _lock

    cpdef acquire(self)
    cpdef release(self)
