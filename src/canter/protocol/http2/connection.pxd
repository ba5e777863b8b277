# The C types of connection.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.http2.frames cimport number_at
from canter.protocol.http2.outgoing cimport FrameWriter
from canter.protocol.http2.tracks cimport Track, follow

cdef int _END_STREAM
cdef int _PADDED
cdef long long _LARGEST_WINDOW
cdef int _IDLE
cdef int _CLOSED
cdef int _GIVEN_UP
cdef int _HEAD
cdef int _CONTENT
cdef int _ENDED
cdef int _RESET
cdef int _WINDOW
cdef Py_ssize_t _SMALL_BYTES
cdef Py_ssize_t _OPENED_BYTES
cdef int _KNOWN_STREAMS
cdef unsigned long long _KNOWN_MASK
cdef object _OPENED_NEWS
cdef object _DATA_NEWS
cdef list _NO_FIELDS


cdef class News:
    cdef readonly object what
    cdef readonly long long stream
    cdef public list fields
    cdef public bytes data
    cdef public Py_ssize_t size
    cdef public bint ended


cdef class Http2Connection(FrameWriter):
    cdef object _failure
    cdef list _news
    cdef long long _highest
    cdef unsigned long long _known
    cdef long long _in_initial
    cdef long long _in_window
    cdef long long _owed
    cdef public long long streams_seen

    @cython.locals(news=list)
    cpdef list receive(self, bytes data)
    @cython.locals(track=Track, state=cython.int, news=News)
    cdef _on_head(self, int flags, long long stream, list fields)
    @cython.locals(gap=cython.longlong, known=cython.ulonglong, ended=cython.bint, track=Track,
                   news=News)
    cdef _open(self, int flags, long long stream, list fields)
    @cython.locals(size=cython.Py_ssize_t, padding=cython.Py_ssize_t, track=Track,
                   count=cython.Py_ssize_t, news=News)
    cdef _on_content(self, int flags, long long stream, bytes data, Py_ssize_t start,
                         Py_ssize_t end)
    cdef _end(self, Track track)
    @cython.locals(following=cython.int)
    cdef _drop(self, int state, int event, int flags, long long stream)
    cdef int _state_of(self, long long stream) except -1
    @cython.locals(back=cython.longlong)
    cdef bint _was_opened(self, long long stream) except -1
    @cython.locals(size=cython.Py_ssize_t)
    cdef _on_other(self, int kind, int flags, long long stream, bytes data, Py_ssize_t start,
                       Py_ssize_t end)
    @cython.locals(count=cython.longlong, track=Track)
    cdef _on_window(self, long long stream, bytes data, Py_ssize_t start,
                        Py_ssize_t size)
    @cython.locals(track=Track)
    cdef _on_reset(self, long long stream, Py_ssize_t size)
    cdef _on_ping(self, int flags, long long stream, bytes payload)
    @cython.locals(before=cython.longlong, pos=cython.Py_ssize_t, change=cython.longlong,
                   track=Track)
    cdef _on_settings(self, int flags, long long stream, bytes data, Py_ssize_t start,
                          Py_ssize_t size)
    cdef _take_setting(self, int number, long long value)
    @cython.locals(change=cython.longlong, track=Track)
    cdef _shrink_windows(self)
    cdef _fail_stream(self, long long stream, mistake)
    cdef _charge(self, long long units, what)
