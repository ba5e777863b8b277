# The C side of vigil.pyx; vigil.py tells what this class promises.


cdef class Vigil:
    # Read by the watcher without any lock: aligned words with one writer at a time. The calls into
    # the kernel between two looks keep the compiler from remembering them.
    cdef volatile long long _call
    cdef volatile long long _calls
    cdef volatile int _dozing
    cdef int _closely  # the watcher's own
    cdef int _reader
    cdef int _writer

    cpdef long long begin(self)
    cpdef end(self, long long number)
    cpdef bint going_on(self, long long number)
    cpdef wake(self)
    cdef long long _watch(self) noexcept nogil
