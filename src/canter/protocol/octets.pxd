# The C side of octets.pyx; octets.py tells what these functions promise.

cpdef Py_ssize_t value_end(bytes data, Py_ssize_t pos, Py_ssize_t end) noexcept
cpdef bint same_name(bytes data, Py_ssize_t pos, bytes lower, Py_ssize_t at,
                     Py_ssize_t length) noexcept
cpdef bint is_plain(str text) noexcept
cpdef long long plain_number(str text) noexcept
cpdef bytes response_head(bytes start, bytes date_line, list fields, long long length, bytes end)
