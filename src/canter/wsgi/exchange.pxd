# The C types of exchange.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.response cimport ResponseHead, judge_response
from canter.protocol.writer cimport ResponseWriter

cdef object _UNSET
cdef object _DECLARED
cdef object _SENT
cdef object _OPEN
cdef object _OK
cdef object _TAKEN
cdef object _NOWHERE
cdef Py_ssize_t _COPIED_BYTES
cdef Py_ssize_t _JOINED_BYTES


cdef class Sink:
    cpdef send(self, bytes data)
    cpdef stream(self, bytes data)
    cpdef send_block(self, bytes before, bytes block, bytes behind, bint streams)
    cpdef bytes date_line(self)


cdef class _Nowhere(Sink):
    pass


cdef class Write:
    cdef Exchange _exchange


cdef class Exchange:
    cdef public dict environ
    cdef public Sink sink
    cdef public ResponseWriter writer
    cdef public object state
    cdef public ResponseHead head
    cdef public bint abandoned
    cdef public bint streams
    cdef public long long body_bytes
    cdef public object ending
    cdef public object problem
    cdef public list remarks

    cpdef run(self, application)
    cdef _call(self, application)
    cpdef write(self, block)
    cdef bytes _head_bytes(self, long long body_length)
    @cython.locals(writer=ResponseWriter, remaining=cython.longlong, head=bytes)
    cdef _send_whole(self, blocks)
    cdef _send_each(self, blocks)
    cdef _emit_first(self, block, blocks)
    @cython.locals(writer=ResponseWriter, remaining=cython.longlong, size=cython.longlong, head=bytes, before=bytes, behind=bytes)
    cdef _emit(self, bytes block, long long body_length=*)
    @cython.locals(writer=ResponseWriter, head=bytes, data=bytes)
    cdef _finish(self)
    cdef _send_file(self, wrapper)
    cdef _fail(self, problem)
