# The C side of wire.pyx; wire.py tells what these functions promise.

cpdef accept(listener)
cpdef close_socket(int fd)
cpdef receive(int fd, Py_ssize_t maximum_bytes)
cpdef Py_ssize_t transmit(int fd, bytes data) except -1
cpdef Py_ssize_t transmit_parts(int fd, bytes before, bytes data, bytes behind) except -1
cpdef long long transmit_file(int fd, int descriptor, long long offset, long long count) except -2
