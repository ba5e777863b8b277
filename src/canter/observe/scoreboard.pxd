# The C types of scoreboard.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.observe.copying cimport copy_into

cdef int _THREAD_STARTED
cdef int _THREAD_LENGTH
cdef Py_ssize_t _LINE_BYTES


cdef class ThreadSlot:
    cdef unsigned long long[::1] _words
    cdef unsigned char[::1] _text

    @cython.locals(length=cython.Py_ssize_t)
    cpdef begin(self, unsigned long long now_ns, bytes line)
    cpdef restart(self, unsigned long long now_ns)
    cpdef end(self)
