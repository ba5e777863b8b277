# The C side of copying.pyx; copying.py tells what this function promises.

cpdef copy_into(unsigned char[::1] view, bytes text, Py_ssize_t length)
