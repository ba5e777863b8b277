# The C types of meter.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

cdef int _BUCKETS
cdef long long _SHORTEST_NS
cdef long long _LONGEST_NS
cdef int _FIRST_OCTAVE
cdef int _QUEUE_AT
cdef int _APP_AT
cdef int _FIRST_AT
cdef int _WRITE_AT
cdef int _OTHER_ROW
cdef dict _METHOD_ROWS

@cython.locals(rest=cython.longlong, octave=cython.int)
cpdef int bucket_of(long long nanoseconds)


cdef class Meter:
    cdef unsigned long long[::1] _words

    @cython.locals(row=cython.int)
    cpdef note(self, str method, int status, long long queue_ns, long long app_ns,
               long long first_ns)
    cpdef note_refusal(self, str method, int status)
    cpdef note_write(self, long long write_ns)
    cdef _time(self, int at, long long nanoseconds)
