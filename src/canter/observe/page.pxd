# The C side of page.pyx; page.py tells what this class promises.
cimport cython


@cython.final
cdef class Page:
    cdef char *_data
    cdef Py_ssize_t _used
    cdef Py_ssize_t _room
    cdef str _before

    cdef int _make_room(self, Py_ssize_t count) except -1
    cpdef int text(self, str piece) except -1
    cpdef int number(self, long long value) except -1
    cpdef bint quoted(self, str piece) except -1
    cpdef str whole(self)
