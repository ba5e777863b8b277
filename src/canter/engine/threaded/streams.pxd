# The C types of streams.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.engine.clock cimport now_ns
from canter.engine.threaded.connection cimport Connection
from canter.engine.threaded.outflow cimport Outflow
from canter.engine.threaded.stream cimport Stream
from canter.protocol.http2.connection cimport News
from canter.protocol.http2.heads cimport HeadJudge
from canter.protocol.http2.streams cimport StreamReader

cdef int _BODY
cdef int _READY
cdef int _RUNNING
cdef int _SENDING
cdef int _CLOSED
cdef int _NEWS
cdef int _ENDS
cdef int _READS_A_TURN
cdef object _READY_STEP


cdef class Multiplexer(Outflow):
    cdef dict _streams
    cdef list _fresh
    cdef bint _drains
    cdef long long _final_notice_ns
    cdef HeadJudge _judge

    cpdef bytes date_line_now(self)
    cpdef watch(self, int fd)
    cpdef answered(self, Connection stream, after)
    cpdef shed(self, Connection stream, why)
    cpdef abandon(self, Connection stream, error)
    @cython.locals(connection=Connection, data=bytes)
    cdef _read(self, bint ended)
    cdef _take(self, bytes data)
    @cython.locals(stream=Stream)
    cdef _react(self, News news)
    @cython.locals(reader=StreamReader, streams=cython.bint)
    cdef _bring(self, Stream stream, News news)
    @cython.locals(judge=HeadJudge, reader=StreamReader, stream=Stream, too_many=cython.bint)
    cdef _open(self, News news)
    cdef HeadJudge _make_judge(self)
    cdef _go_on(self, Stream stream, step)
    cdef _refuse(self, Stream stream, fault)
    cdef _conclude(self, Stream stream)
    cdef _drop(self, Stream stream)
    cdef _finish(self, Stream stream, bint timed_out=*)
    cdef _rest(self)
    cdef _begin_wait(self, wait)
    cdef _end_wait(self)
    cdef _end(self, error=*)
    cdef bint _is_late(self) except -1
    cdef _overdue_output(self, Stream stream)
    cdef _tell(self)
    @cython.locals(fresh=list, stream=Stream)
    cdef _offer(self)
    cdef _settle(self)
