# The C types of packet.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

cpdef Py_ssize_t packet_size(bytes head) except -1

@cython.locals(at=cython.Py_ssize_t, end=cython.Py_ssize_t, name_end=cython.Py_ssize_t,
               value_end=cython.Py_ssize_t, found=list)
cpdef list read_variables(bytes block)

@cython.locals(begin=cython.Py_ssize_t, behind=cython.Py_ssize_t)
cdef Py_ssize_t _text_end(bytes block, Py_ssize_t at, Py_ssize_t end) except -1
