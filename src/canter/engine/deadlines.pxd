# The C types of deadlines.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython


cdef class _Queue:
    cdef public object earlier
    cdef public object later

    cpdef append(self, waiter)


cdef class Deadlines:
    cdef list _counts
    cdef list _queues
    cdef list _durations_ns
    cdef list _grain_ns

    cpdef long long grain_ns(self, int kind)
    @cython.locals(before=cython.int)
    cpdef begin(self, waiter, int kind, long long now_ns)
    @cython.locals(kind=cython.int)
    cpdef restart(self, waiter, long long now_ns)
    @cython.locals(kind=cython.int)
    cpdef end(self, waiter)
