# The C types of spool.py, which stays ordinary Python: Cython reads this file beside it.
from canter.engine.latch cimport Latch
from canter.engine.room cimport Room


cdef class Budget:
    cdef readonly long long total_bytes
    cdef long long _left
    cdef Latch _lock
    cdef list _kept
    cdef Py_ssize_t _idle
    cdef long long _tidied_ns

    cpdef bint take(self, long long size)
    cdef bint _take(self, long long size)
    cpdef give_back(self, long long size)
    cpdef Room lend(self, Py_ssize_t size)
    cpdef take_back(self, Room room)
    cpdef tidy(self, long long now_ns)
    cdef _let_go(self, Py_ssize_t count)


cdef class Spool:
    cdef long long _memory_bytes
    cdef object _directory
    cdef Budget _budget
    cdef long long _taken
    cdef object _body
    cdef Room _room
    cdef Py_ssize_t _end
    cdef readonly long long size

    cpdef Py_ssize_t fill(self, int fd) except -2
    cpdef bytes behind(self)
    cpdef write(self, bytes data)
    cdef _write_on(self, bytes data)
    cdef _leave_room(self)
    cdef bint _fits(self, Py_ssize_t more)
    cdef _move_to_disk(self, memory)
    cpdef open(self)
    cpdef close(self)
    cdef _give_back(self)
