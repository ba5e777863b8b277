# cython: language_level=3, freethreading_compatible=True
"""The compiled version of vigil.py, which tells what this class promises."""

from posix.unistd cimport read, write

import os

cdef extern from "poll.h" nogil:
    struct pollfd:
        int fd
        short events
        short revents
    int poll(pollfd *fds, unsigned long count, int timeout_ms)
    enum:
        POLLIN

cdef extern from *:
    """
    /* A store before it is seen by others before a load behind it is made. */
    static inline void canter_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
    """
    void canter_fence() noexcept nogil

cdef enum:
    _TICK_MS = 1
    _CALM_TICK_MS = 4
    _CLOSELY_TICKS = 2000
    _SOUND_SLEEP_AFTER_TICKS = 4


cdef class Vigil:
    """The number of the call going on, and who watches it."""

    def __init__(self):
        self._call = 0
        self._calls = 0
        self._dozing = 0
        self._closely = 0
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    cpdef long long begin(self):
        """A call begins; its number, never 0."""
        cdef long long number = self._calls + 1
        self._calls = number
        self._call = number
        canter_fence()  # of the two sides at least one sees what the other has just stored
        if self._dozing:
            self._dozing = 0
            self.wake()
        return number

    cpdef end(self, long long number):
        """That call is over. Another one that has begun meanwhile is watched on."""
        if self._call == number:
            self._call = 0

    cpdef bint going_on(self, long long number):
        """Whether that call is still going on."""
        return self._call == number

    cpdef wake(self):
        """Have `watch` return."""
        write(self._writer, b"\0", 1)  # a full pipe wakes as well

    def watch(self):
        """Wait until a call has lasted for two looks; its number, or 0 when woken."""
        cdef long long call
        with nogil:
            call = self._watch()
        return call

    cdef long long _watch(self) noexcept nogil:
        cdef long long seen = 0
        cdef long long calls = self._calls
        cdef long long call
        cdef int quiet_ticks = 0
        cdef int tick_ms
        cdef int woken
        cdef pollfd pipe
        cdef char swallowed[4096]
        pipe.fd = self._reader
        pipe.events = POLLIN
        while True:
            tick_ms = _TICK_MS if self._closely else _CALM_TICK_MS
            if quiet_ticks < _SOUND_SLEEP_AFTER_TICKS:
                woken = poll(&pipe, 1, tick_ms)
            else:
                self._dozing = 1
                canter_fence()
                woken = poll(&pipe, 1, tick_ms if self._call else -1)
                self._dozing = 0
                quiet_ticks = 0
            if woken > 0:
                read(self._reader, swallowed, sizeof(swallowed))
                return 0
            call = self._call
            if call and call == seen:
                self._closely = _CLOSELY_TICKS
                return call
            if self._closely:
                self._closely -= 1
            seen = call
            if call or calls != self._calls:
                quiet_ticks = 0
            else:
                quiet_ticks += 1
            calls = self._calls

    def close(self):
        """Give the pipe back; when nobody watches or wakes any more."""
        reader, writer = self._reader, self._writer
        self._reader = self._writer = -1
        os.close(reader)
        os.close(writer)
