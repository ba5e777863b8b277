# The C types of connection.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.engine.clock cimport now_ns
from canter.engine.latch cimport Latch
from canter.engine.session cimport Session
from canter.engine.threaded.member cimport Member
from canter.engine.wire cimport close_socket, receive, transmit, transmit_parts
from canter.wsgi.exchange cimport Exchange, Sink

cdef long long _PROGRESS_EVERY_NS
cdef Py_ssize_t _BODY_READ_BYTES
cdef Latch _descriptors
cdef object _NEXT


cdef class Hub:
    cdef public bytes date_line
    cdef public bint draining
    cdef public long long bytes_in

    cpdef watch(self, int fd)
    cpdef answered(self, Connection connection, after)
    cpdef shed(self, Connection connection, why)
    cpdef abandon(self, Connection connection, error)


cdef class EarlyHints:
    cdef Connection _connection


cdef class Disconnected:
    cdef Connection _connection


cdef class Connection(Session):
    cdef bint _heeds_room
    cdef object _sock
    cdef public long long adopted_ns
    cdef public object after
    cdef public object backlog
    cdef public long long began_ns
    cdef public object earlier
    cdef public long long ended_ns
    cdef public int events
    cdef public Exchange exchange
    cdef public Member member
    cdef public int fd
    cdef public bint gathers
    cdef public Hub hub
    cdef public long long first_ns
    cdef public int in_kernel_bytes
    cdef public bint input_ended
    cdef public object later
    cdef public int listener
    cdef public object origin
    cdef public bytes preface
    cdef public bytes raw
    cdef public str peer_host
    cdef public str peer_port
    cdef public long long ready_ns
    cdef public object shared
    cdef public object taken
    cdef public object unlogged
    cdef public int waits
    cdef public long long waits_since_ns
    cdef public bint watched

    @cython.locals(fd=cython.int)
    cpdef close(self)
    cpdef read(self)
    cpdef bytes date_line(self)
    @cython.locals(count=cython.Py_ssize_t)
    cpdef send(self, bytes data)
    @cython.locals(count=cython.Py_ssize_t)
    cpdef send_block(self, bytes before, bytes block, bytes behind, bint streams)
    @cython.locals(part=bytes)
    cdef _keep_rest(self, tuple parts, Py_ssize_t count)
    cpdef stream(self, bytes data)
    @cython.locals(member=Member, moment_ns=cython.longlong)
    cdef _keep_pace(self)
    cpdef watch(self)
