# The C types of traffic.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

cdef int _IDLE
cdef int _HEAD
cdef int _BODY
cdef int _READY
cdef int _RUNNING
cdef int _SENDING
cdef int _LINGER
cdef int _CLOSED
cdef int _SHARED
cdef int _READABLE
cdef int _PEER_ENDED
cdef int _NEWS
cdef int _BROKEN
cdef int _SENDABLE
cdef int _ENDED
cdef long long _HALF_CLOSE_NS
cdef Py_ssize_t _READ_BYTES
cdef int _KEEP_ALIVE
cdef int _HEADER_WAIT
cdef int _BODY_WAIT
cdef int _READS_A_TURN
cdef object _MORE
cdef object _READY_STEP
cdef object _CLOSE
cdef object _LINGER_AFTER

from canter.engine.clock cimport now_ns
from canter.engine.deadlines cimport Deadlines
from canter.engine.latch cimport Latch
from canter.engine.threaded.connection cimport Connection, Hub
from canter.engine.threaded.service cimport Service


cdef class Traffic(Hub):
    cdef public object config
    cdef public object ready
    cdef Service _service
    cdef public object answering
    cdef bint _asks
    cdef public object poller
    cdef public dict connections
    cdef public Deadlines deadlines
    cdef object _now_ready
    cdef long long _keep_alive_grain_ns
    cdef public bint crowded
    cdef public long long now_ns
    cdef public long long chores_at_ns
    cdef object _again
    cdef object _unheard
    cdef int _wake_reader
    cdef int _wake_writer
    cdef public Latch lock

    cdef bint _flush_interim(self, Connection connection) except -1
    @cython.locals(phase=cython.int)
    cdef _on_events(self, Connection connection, int bits)
    cdef bint _note(self, Connection connection, int bits) except -1
    @cython.locals(full=cython.bint, fresh=cython.bint, data=bytes, count=cython.int)
    cdef _read(self, Connection connection, bint ended=*)
    cdef _go_on(self, Connection connection, step)
    cdef _enqueue(self, Connection connection)
    @cython.locals(connection=Connection)
    cdef _listen_to_waiting(self)
    cdef _notice_end(self, Connection connection, int bits)
    cdef _ask(self, Connection connection)
    @cython.locals(phase=cython.int, news=cython.int, wait=cython.int)
    cdef _await_more(self, Connection connection)
    cdef _end_input(self, Connection connection)
    cpdef answered(self, Connection connection, after)
    cdef _send_more(self, Connection connection)
    cdef bint _is_through(self, Connection connection, after) except -1
    cdef _sent(self, Connection connection)
    cdef _next_step(self, Connection connection)
    @cython.locals(news=cython.int)
    cdef _resume_reading(self, Connection connection)
    cdef _refuse(self, Connection connection, fault)
    @cython.locals(news=cython.int, was_running=cython.bint)
    cdef _linger(self, Connection connection)
    cdef _discard(self, Connection connection)
    cdef _lose(self, Connection connection, bint timed_out=*)
    cdef _close(self, Connection connection)
    cdef _end_wait(self, Connection connection, wait)
