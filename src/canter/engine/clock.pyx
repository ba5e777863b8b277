# cython: language_level=3, freethreading_compatible=True
"""The compiled version of clock.py, which tells what these functions promise.

The clock is the one that time.monotonic_ns reads.
"""

cdef extern from *:
    """
    #include <sys/resource.h>
    #include <time.h>

    static inline long long canter_now_ns(void) {
        struct timespec now;
    #if defined(__APPLE__)
        return (long long)clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
    #endif
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (long long)now.tv_sec * 1000000000LL + now.tv_nsec;
    }

    static inline double canter_wall_seconds(void) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        return (double)now.tv_sec + now.tv_nsec * 1e-9;
    }

    static inline long canter_waits_so_far(void) {
    #if defined(RUSAGE_THREAD)
        struct rusage used;
        if (getrusage(RUSAGE_THREAD, &used) == 0) return used.ru_nvcsw;
    #endif
        return 0;
    }
    """
    long long canter_now_ns() noexcept nogil
    double canter_wall_seconds() noexcept nogil
    long canter_waits_so_far() noexcept nogil


cpdef long long now_ns() noexcept:
    """Monotonic nanoseconds."""
    return canter_now_ns()


cpdef double wall_seconds() noexcept:
    """Seconds since the epoch."""
    return canter_wall_seconds()


cpdef long waits_so_far() noexcept:
    """How often this thread has given up the processor of its own accord."""
    return canter_waits_so_far()
