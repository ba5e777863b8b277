# The C types of outflow.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.engine.clock cimport now_ns
from canter.engine.threaded.connection cimport Connection
from canter.engine.threaded.member cimport Member
from canter.engine.threaded.stream cimport Owner, Stream
from canter.protocol.http2.connection cimport Http2Connection
from canter.protocol.http2.streams cimport StreamReader

cdef long long _TURN_BYTES
cdef Py_ssize_t _GATHERED_BYTES
cdef object _GOES_ON
cdef object _LOST


cdef class Outflow(Owner):
    cdef public object config
    cdef public object limits
    cdef object _hub
    cdef public Http2Connection http2
    cdef dict _senders
    cdef public object fate
    cdef public int unanswered
    cdef bint _gathers

    cdef _conclude(self, Stream stream)
    cdef _drop(self, Stream stream)
    cpdef want_to_send(self, Stream stream)
    cpdef send_interim(self, Stream stream, int status, list fields)
    cpdef open_window(self, Stream stream, long long count)
    cpdef give_up(self, Stream stream, error)
    cdef _reset(self, Stream stream, error)
    @cython.locals(senders=dict, moved=cython.bint, sender=Stream)
    cdef _pump(self, Stream stream=*)
    @cython.locals(member=Member)
    cdef bint _may_gather(self, Stream stream) except -1
    @cython.locals(http2=Http2Connection, number=cython.longlong, reader=StreamReader,
                   moved=cython.bint, was_done=cython.bint, head=list, end=cython.bint)
    cdef bint _send_some(self, Stream stream) except -1
    @cython.locals(http2=Http2Connection, budget=cython.longlong, before=cython.longlong,
                   count=cython.longlong, data=bytes, end=cython.bint)
    cdef bint _send_content(self, Stream stream) except -1
    cdef _emit(self)
    cdef _flush(self)
