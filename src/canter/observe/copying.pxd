# The C side of copying.pyx; copying.py tells what these functions promise.

cpdef copy_into(unsigned char[::1] view, Py_ssize_t at, bytes text, Py_ssize_t length)
