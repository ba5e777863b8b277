# cython: language_level=3, freethreading_compatible=True, boundscheck=False, wraparound=False
"""The compiled version of copying.py, which tells what these functions promise."""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.string cimport memcpy


cpdef copy_into(unsigned char[::1] view, Py_ssize_t at, bytes text, Py_ssize_t length):
    """Copy the first `length` bytes of `text` to place `at`; the view has room for them."""
    if length > 0:
        memcpy(&view[at], PyBytes_AS_STRING(text), length)
