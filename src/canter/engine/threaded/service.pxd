# The C types of service.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

cdef int _RUNNING
cdef int _SENDING
cdef object _NEXT
cdef object _CUT
cdef object _OK
cdef object _ABORTED
cdef object _ABANDONED
cdef object _STALLED
cdef object _LINGER
cdef object _CLOSE
cdef int _FIRST_FAILURE

from canter.engine.clock cimport now_ns, wall_seconds
from canter.engine.threaded.connection cimport Connection, Disconnected, EarlyHints, Hub
from canter.engine.threaded.member cimport Member
from canter.observe.access_entry cimport AccessEntry
from canter.observe.meter cimport Meter
from canter.observe.scoreboard cimport ThreadSlot
from canter.protocol.request cimport Request
from canter.protocol.writer cimport ResponseWriter
from canter.wsgi.exchange cimport Exchange


cdef class Counts:
    cdef public long long requests
    cdef public long long aborted
    cdef public long long busy_ns
    cdef public long long body_bytes
    cdef public long long[::1] statuses


cdef class Service:
    cdef object _application
    cdef object _around
    cdef object _soft
    cdef object _slow
    cdef object _kept
    cdef long long _long_ns
    cdef bint _streams
    cdef bint _keeps_alive
    cdef object _access
    cdef object _log
    cdef object _client_faults
    cdef long long _share
    cdef long long _queue_ns
    cdef object _on_share_served
    cdef public Counts counts
    cdef Meter _meter
    cdef public object expiring
    cdef public bint noted
    cdef long long _failed_ns
    cdef long long _hidden_failures

    cpdef serve(self, Connection connection, Member member)
    @cython.locals(request=Request, environ=dict, keep_alive=cython.bint, writer=ResponseWriter,
                   loop=Hub,
                   exchange=Exchange, began_ns=cython.longlong,
                   ended_ns=cython.longlong, slot=ThreadSlot)
    cdef _serve(self, Connection connection, Member member)
    @cython.locals(request=Request)
    cdef _after(self, Connection connection, Exchange exchange)
    @cython.locals(counts=Counts, code=cython.int, first_ns=cython.longlong, request=Request,
                   took_ns=cython.longlong)
    cdef _account(self, Connection connection, Exchange exchange, Member member)
    @cython.locals(request=Request, entry=AccessEntry)
    cdef AccessEntry _entry(self, Connection connection, Exchange exchange, long long began_ns,
                            long long ended_ns)
    cdef _keep(self, Connection connection, Exchange exchange, long long began_ns,
               long long took_ns)
    cpdef _record(self, AccessEntry entry)
    @cython.locals(entry=AccessEntry, ended_ns=cython.longlong)
    cpdef sent(self, Connection connection)
