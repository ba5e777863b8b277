# The C types of crew.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.engine.clock cimport now_ns, waits_so_far
from canter.engine.latch cimport Latch
from canter.engine.tempo cimport Pace
from canter.engine.threaded.connection cimport Connection
from canter.engine.threaded.loop cimport Loop
from canter.engine.threaded.member cimport Member
from canter.engine.threaded.service cimport Service
from canter.engine.vigil cimport Vigil

cdef int _MEASURE_EVERY
cdef object _INLINE


cdef class Crew:
    cdef object _work
    cdef Service _service
    cdef str _name
    cdef public list members
    cdef public Member reserve
    cdef public Latch mutex
    cdef public Pace pace
    cdef public object ready
    cdef list _parked
    cdef Member _leader
    cdef int _alive
    cdef Vigil _vigil
    cdef public Loop loop
    cdef public bint asked
    cdef long long _inline_calls
    cdef bint _over

    @cython.locals(member=Member, count=cython.int)
    cpdef int busy(self) except -1
    @cython.locals(is_reserve=cython.bint, connection=Connection, loop=Loop)
    cdef _lead(self, Member member)
    @cython.locals(calls=cython.longlong, number=cython.longlong, waits=cython.longlong, duration_ns=cython.longlong,
                   connection=Connection)
    cdef _run_inline(self, Member member)
    cdef _take(self)
    cdef bint _hand_over(self, Member member, bint to_reserve=*) except -1
    cdef bint _hand_work(self, Member member) except -1
    cdef bint _help(self, Member member) except -1
    @cython.locals(leader=Member)
    cdef bint _seize(self, Member member, long long number) except -1
