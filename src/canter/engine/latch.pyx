# cython: language_level=3, freethreading_compatible=True
"""The compiled version of latch.py, which tells what this class promises."""

cdef extern from "pythread.h":
    PyThread_type_lock PyThread_allocate_lock() noexcept
    void PyThread_free_lock(PyThread_type_lock lock) noexcept
    int PyThread_acquire_lock(PyThread_type_lock lock, int wait) noexcept nogil
    void PyThread_release_lock(PyThread_type_lock lock) noexcept
    enum:
        WAIT_LOCK
        NOWAIT_LOCK


cdef class Latch:
    """A lock around a few instructions; waiting for it lets go of the interpreter lock."""

    def __cinit__(self):
        self._lock = PyThread_allocate_lock()
        if self._lock is NULL:
            raise MemoryError

    def __dealloc__(self):
        if self._lock is not NULL:
            PyThread_free_lock(self._lock)

    cpdef acquire(self):
        """Take it, waiting for whoever has it."""
        if not PyThread_acquire_lock(self._lock, NOWAIT_LOCK):
            with nogil:
                PyThread_acquire_lock(self._lock, WAIT_LOCK)

    cpdef release(self):
        """Let it go."""
        PyThread_release_lock(self._lock)

    def __enter__(self):
        self.acquire()

    def __exit__(self, *_):
        self.release()
