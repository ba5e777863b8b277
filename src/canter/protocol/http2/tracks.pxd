# The C types of tracks.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

cdef bytes _MOVES
cdef int _NO_MOVE
cdef int _WIDTH

@cython.locals(following=cython.int)
cpdef int follow(int state, int event) except -1


cdef class Track:
    cdef readonly long long number
    cdef public int state
    cdef public long long in_window
    cdef public long long out_window

    cpdef move(self, int event)
