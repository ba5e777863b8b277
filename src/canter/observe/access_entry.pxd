# The C types of access_entry.py, which stays ordinary Python: Cython reads this file beside it.


cdef class AccessEntry:
    cdef public object environ
    cdef public str request_line
    cdef public str client
    cdef public int status
    cdef public object headers
    cdef public long long body_bytes
    cdef public double started_at
    cdef public long long queue_ns
    cdef public long long app_ns
    cdef public long long total_ns
    cdef public object outcome
