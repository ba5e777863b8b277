# The C types of scan_fast.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.http1.scan cimport Scan
from canter.protocol.octets cimport same_name, value_end

ctypedef const unsigned char* octets_t

cdef int _DONE
cdef int _TOO_LONG
cdef int _TOO_MANY
cdef int _EMPTY
cdef int _HTTP_10
cdef int _ODD_VERSION
cdef int _ODD_METHOD
cdef int _ODD_TARGET
cdef int _PERCENT
cdef long long _ASIDE
cdef long long _SINGLE
cdef int _AGAIN_SHIFT
cdef int _COUNT_SHIFT
cdef long long _ONE_FIELD
cdef frozenset _METHODS
cdef bytes _LOWER
cdef bytes _IN_NAME
cdef bytes _IN_TARGET
cdef bytes _HEX
cdef unsigned int _SLOTS_MASK
cdef unsigned int _CELL_BYTES
cdef bytes _CELLS
cdef bytes _FACTS
cdef list _KEYS
cdef dict _learned

@cython.locals(octets=octets_t, lower=octets_t, cells=octets_t, slot=cython.uint,
               cell=cython.uint, length=cython.Py_ssize_t)
cdef int _slot_of(bytes data, Py_ssize_t start, Py_ssize_t end) except -2

cdef bint _is_version(bytes data, Py_ssize_t pos) noexcept

cdef class FastScan(Scan):
    @cython.locals(octets=octets_t, in_target=octets_t, in_name=octets_t, end=cython.Py_ssize_t,
                   facts=cython.int, i=cython.Py_ssize_t, method_end=cython.Py_ssize_t,
                   start=cython.Py_ssize_t, path_end=cython.Py_ssize_t, outcome=cython.int)
    cpdef tuple request_line(self, bytes data, Py_ssize_t pos, Py_ssize_t limit, dict environ)

    @cython.locals(octets=octets_t, in_name=octets_t, end=cython.Py_ssize_t,
                   i=cython.Py_ssize_t, colon=cython.Py_ssize_t, start=cython.Py_ssize_t,
                   behind=cython.Py_ssize_t, slot=cython.int, facts_of=octets_t,
                   key=str, fact=cython.longlong,
                   size=cython.Py_ssize_t, outcome=cython.int)
    cpdef tuple fields(self, bytes data, Py_ssize_t pos, Py_ssize_t line_limit,
                       Py_ssize_t block_end, Py_ssize_t count_limit, long long facts,
                       dict environ, list aside)

    @cython.locals(octets=octets_t, digits=octets_t, end=cython.Py_ssize_t, size=cython.longlong,
                   i=cython.Py_ssize_t)
    cpdef tuple chunk_size(self, bytes data, Py_ssize_t pos, Py_ssize_t limit)
