# The C types of member.py, which stays ordinary Python: Cython reads this file beside it.
from canter.observe.scoreboard cimport ThreadSlot
from canter.wsgi.exchange cimport Exchange


cdef class Member:
    cdef public int index
    cdef public ThreadSlot slot
    cdef public object wake
    cdef public object ident
    cdef public Exchange exchange
    cdef public long long began_ns
    cdef public long long started_ns
    cdef public long long ended_ns
    cdef public object thread
    cdef public int aim
    cdef public bint inline
