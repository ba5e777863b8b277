# The C types of body.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.http1.incoming cimport Incoming

cdef int _DONE
cdef int _MORE
cdef int _MALFORMED
cdef int _FIELDS
cdef int _BODY
cdef int _CHUNK_SIZE
cdef int _CHUNK_DATA
cdef int _CHUNK_END
cdef int _TRAILERS
cdef int _FAILED
cdef int _HEAD_WITHOUT_BODY
cdef int _HEAD_WITH_LENGTH
cdef int _HEAD_WITH_CHUNKS
cdef int _BODY_READ
cdef int _CHUNK_OPENED
cdef int _CHUNK_READ
cdef int _CHUNK_CLOSED
cdef int _LAST_CHUNK
cdef int _TRAILERS_READ
cdef int _COUNT_SHIFT


cdef class BodyReader(Incoming):
    cdef long long _remaining
    cdef Py_ssize_t _extensions

    @cython.locals(phase=cython.int)
    cpdef bytes read_body(self, Py_ssize_t maximum)
    cdef _begin_body(self, long long length)
    @cython.locals(pos=cython.Py_ssize_t, data=bytes, count=cython.Py_ssize_t)
    cdef bytes _take(self, Py_ssize_t maximum)
    @cython.locals(phase=cython.int)
    cdef bint _read_between(self) except -1
    @cython.locals(pos=cython.Py_ssize_t, behind=cython.Py_ssize_t, outcome=cython.int,
                   size=cython.longlong)
    cdef bint _open_chunk(self) except -1
    @cython.locals(outcome=cython.int, environ=dict)
    cdef bint _read_trailers(self) except -1
