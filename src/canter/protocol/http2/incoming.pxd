# The C types of incoming.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.http2.decoder cimport Decoder
from canter.protocol.http2.frames cimport number_at

cdef int _ACK
cdef int _CONTINUATION
cdef int _DATA
cdef int _END_HEADERS
cdef Py_ssize_t _HEAD_BYTES
cdef int _HEADERS
cdef long long _HIGHEST_STREAM
cdef int _PADDED
cdef int _SETTINGS
cdef int _WITH_PRIORITY
cdef Py_ssize_t _PREFACE_BYTES
cdef Py_ssize_t _PRIORITY_BYTES
cdef int _MOST_CONTINUATIONS


cdef class FrameReader:
    cdef Decoder _decoder
    cdef Py_ssize_t _frame_limit
    cdef bytearray _held
    cdef Py_ssize_t _wanted
    cdef bint _has_preface
    cdef bint _has_settings
    cdef bytearray _block
    cdef long long _block_stream
    cdef int _block_flags
    cdef int _block_frames
    cdef Py_ssize_t _block_limit

    cdef _on_content(self, int flags, long long stream, bytes data, Py_ssize_t start,
                         Py_ssize_t end)
    cdef _on_head(self, int flags, long long stream, list fields)
    cdef _on_other(self, int kind, int flags, long long stream, bytes data, Py_ssize_t start,
                       Py_ssize_t end)
    cdef _fail_stream(self, long long stream, mistake)
    @cython.locals(held=bytearray, pos=cython.Py_ssize_t, end=cython.Py_ssize_t,
                   length=cython.Py_ssize_t, start=cython.Py_ssize_t, behind=cython.Py_ssize_t,
                   stream=cython.longlong)
    cdef _read(self, bytes data)
    cdef _frame(self, int kind, int flags, long long stream, bytes data, Py_ssize_t start,
                    Py_ssize_t end)
    @cython.locals(count=cython.Py_ssize_t)
    cdef Py_ssize_t _padding(self, int flags, bytes data, Py_ssize_t start,
                             Py_ssize_t end) except -1
    cdef _begin_block(self, int flags, long long stream, bytes data, Py_ssize_t start,
                          Py_ssize_t end)
    @cython.locals(size=cython.Py_ssize_t, block=bytes, stream=cython.longlong)
    cdef _go_on_with_block(self, int flags, bytes data, Py_ssize_t start,
                               Py_ssize_t end)
