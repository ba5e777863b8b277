# The C types of scan.py, which stays ordinary Python: Cython reads this file beside it.

cdef class Scan:
    cpdef tuple request_line(self, bytes data, Py_ssize_t pos, Py_ssize_t limit, dict environ)
    cpdef tuple fields(self, bytes data, Py_ssize_t pos, Py_ssize_t line_limit,
                       Py_ssize_t block_end, Py_ssize_t count_limit, long long facts,
                       dict environ, list aside)
    cpdef tuple chunk_size(self, bytes data, Py_ssize_t pos, Py_ssize_t limit)
