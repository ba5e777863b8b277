# The C side of room.pyx; room.py tells what this class promises.


cdef class Room:
    cdef readonly Py_ssize_t capacity
    cdef bytes _memory

    cpdef Py_ssize_t fill(self, int fd, Py_ssize_t start, Py_ssize_t end) except -2
    cpdef put(self, Py_ssize_t start, bytes data)
    cpdef bytes at(self, Py_ssize_t index)
    cpdef open(self, Py_ssize_t size)
    cpdef bint is_free(self)
