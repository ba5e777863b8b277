# The C types of outgoing.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.http2.encoder cimport Encoder
from canter.protocol.http2.frames cimport head as frame_head
from canter.protocol.http2.incoming cimport FrameReader
from canter.protocol.http2.strain cimport Strain
from canter.protocol.http2.tracks cimport Track

cdef int _DATA
cdef int _HEADERS
cdef int _END_STREAM
cdef int _END_HEADERS
cdef int _HALF_CLOSED_REMOTE
cdef int _HALF_CLOSED_LOCAL
cdef int _CLOSED
cdef int _GIVEN_UP
cdef int _SENT_ALL
cdef int _SENT_RESET
cdef int _ANSWERED


cdef class FrameWriter(FrameReader):
    cdef object _limits
    cdef Py_ssize_t _most_streams
    cdef Encoder _encoder
    cdef Strain _strain
    cdef dict _streams
    cdef dict _given_up
    cdef long long _out_initial
    cdef long long _out_window
    cdef list _out
    cdef public Py_ssize_t frame_bytes
    cdef public Py_ssize_t waiting
    cdef public long long last_stream

    cdef _put(self, bytes piece)
    cpdef bytes output(self)
    @cython.locals(track=Track)
    cpdef long long room(self, long long stream) except -1
    @cython.locals(track=Track, block=bytes, flags=cython.int, size=cython.Py_ssize_t)
    cpdef bint send_head(self, long long stream, list fields, bint end) except -1
    @cython.locals(size=cython.Py_ssize_t, kind=cython.int, at=cython.Py_ssize_t)
    cdef _put_in_parts(self, long long stream, bytes block, int flags)
    @cython.locals(track=Track, count=cython.Py_ssize_t)
    cpdef bint send_content(self, long long stream, bytes data, bint end) except -1
    cdef _note_sent(self, Track track)
    @cython.locals(track=Track)
    cpdef open_window(self, long long stream, long long count)
    @cython.locals(track=Track)
    cpdef reset(self, long long stream, int error)
    cdef _note_given_up(self, long long stream)
    cpdef answered(self)
    @cython.locals(last=cython.longlong)
    cpdef go_away(self, int error, long long last_stream=*)
