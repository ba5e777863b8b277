# The C types of frames.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

cpdef bytes head(Py_ssize_t length, int kind, int flags, long long stream)
cpdef bytes window_update(long long stream, long long count)
cpdef bytes reset(long long stream, int code)
@cython.locals(value=cython.longlong)
cpdef long long number_at(bytes data, Py_ssize_t pos)
