# The C types of stream.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.engine.clock cimport now_ns
from canter.engine.threaded.connection cimport Connection, Hub
from canter.engine.threaded.member cimport Member
from canter.protocol.http2.streams cimport StreamReader, StreamWriter
from canter.protocol.reader cimport RequestReader
from canter.protocol.request cimport Request

cdef long long _PROGRESS_EVERY_NS
cdef object _NO_SOCKET


cdef class Owner(Hub):
    cdef public Connection connection
    cdef public object lock
    cdef public object changed
    cdef public int waiting

    cpdef bytes date_line_now(self)
    cpdef want_to_send(self, Stream stream)
    cpdef send_interim(self, Stream stream, int status, list fields)
    cpdef open_window(self, Stream stream, long long count)
    cpdef give_up(self, Stream stream, error)
    cpdef bint wait_for_change(self, double seconds) except -1
    cpdef tell_change(self)


cdef class Stream(Connection):
    cdef public Owner mux
    cdef public StreamReader stream_reader
    cdef public long long number
    cdef public bint gone
    cdef public bint headed
    cdef public bint whole
    cdef public bint done
    cdef public bint returned
    cdef public object out
    cdef public Py_ssize_t out_bytes
    cdef public long long sent
    cdef public long long owed

    cpdef bytes date_line(self)
    cpdef send(self, bytes data)
    @cython.locals(writer=StreamWriter)
    cdef _note_whole(self)
    @cython.locals(member=Member, moment_ns=cython.longlong)
    cpdef stream(self, bytes data)
    cpdef drop_output(self)
