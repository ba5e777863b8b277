# The C types of connection.py, which stays ordinary Python: Cython reads this file beside it.
from canter.engine.session cimport Session
from canter.engine.threaded.member cimport Member
from canter.wsgi.exchange cimport Exchange


cdef class Connection(Session):
    cdef public object after
    cdef public object backlog
    cdef public long long began_ns
    cdef public int events
    cdef public Exchange exchange
    cdef public Member member
    cdef public int fd
    cdef public object hub
    cdef public int in_kernel_bytes
    cdef public bint input_ended
    cdef public int listener
    cdef public bytes raw
    cdef public str peer_host
    cdef public str peer_port
    cdef public long long ready_ns
    cdef public object sock
    cdef public object unlogged
    cdef public int waits
    cdef public long long waits_since_ns
    cdef public bint watched

    cpdef read(self)
    cpdef send(self, bytes data)
    cpdef stream(self, bytes data)
    cpdef watch(self)
