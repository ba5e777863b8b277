# The C side of clock.pyx; clock.py tells what these functions promise.

cpdef long long now_ns() noexcept
cpdef double wall_seconds() noexcept
cpdef long waits_so_far() noexcept
