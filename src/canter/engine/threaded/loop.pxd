# The C types of loop.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.engine.clock cimport now_ns
from canter.engine.threaded.connection cimport Connection
from canter.engine.threaded.service cimport Service
from canter.engine.threaded.traffic cimport Traffic

cdef int _IDLE
cdef int _READY
cdef int _RUNNING
cdef int _CLOSED
cdef int _SHARED
cdef int _READABLE
cdef object _MORE
cdef object _READY_STEP
cdef long long _IDLE_ENOUGH_NS


cdef class Loop(Traffic):
    cdef object _chores
    cdef public dict doors
    cdef long long _date_until_ns
    cdef double _chores_every_seconds
    cdef object _shed_answer

    cdef object _poll

    @cython.locals(again=object, service=Service, events=list, turn_ns=cython.longlong,
                   wait_ns=cython.longlong, connections=dict, bits=cython.int, known=Connection)
    cpdef turn(self)
    cpdef adopt(self, Connection connection)
    cpdef hurry(self, double seconds)
    cdef _attend(self, Connection connection, int bits)
    cpdef shed(self, Connection connection, why)
    cpdef abandon(self, Connection connection, error)
