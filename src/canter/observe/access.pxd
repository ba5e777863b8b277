# The C types of access.py, which stays ordinary Python: Cython reads this file beside it.

# The name itself stays Python's: others import it from access.py.
from canter.observe.access_entry cimport AccessEntry as Entry


cdef class AccessLog:
    cdef readonly object _sink
    cdef object _log
    cdef object _line
    cdef list _pending
    cdef readonly object _flushing

    cpdef record(self, Entry entry)
