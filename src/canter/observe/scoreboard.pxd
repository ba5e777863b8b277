# The C types of scoreboard.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.observe.copying cimport copy_into

cdef int _THREAD_STARTED
cdef int _THREAD_LATEST
cdef int _FIRST_RECORD
cdef int _THREAD_WORDS
cdef int _RECORD_WORDS
cdef int _BEGAN
cdef int _TOOK
cdef int _FACTS
cdef int _TEXT
cdef int _STATUS_SHIFT
cdef Py_ssize_t _WORD_BYTES
cdef Py_ssize_t _LINE_BYTES


cdef class ThreadSlot:
    cdef unsigned long long[::1] _words
    cdef unsigned char[::1] _text

    cdef Py_ssize_t _at

    @cython.locals(length=cython.Py_ssize_t, at=cython.Py_ssize_t)
    cpdef begin(self, unsigned long long now_ns, bytes line)
    cpdef restart(self, unsigned long long now_ns)
    cpdef pause(self)
    @cython.locals(at=cython.Py_ssize_t, took_ns=cython.longlong)
    cpdef end(self, unsigned long long now_ns, unsigned long long status)
    @cython.locals(at=cython.Py_ssize_t)
    cpdef bint is_busy(self) except -1
