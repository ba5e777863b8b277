# cython: language_level=3, freethreading_compatible=True
"""The compiled version of wire.py, which tells what these functions promise.

The calls are made with the interpreter lock held: on a non-blocking socket they cannot wait, and
letting go of the lock and taking it again would cost more than the call itself.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.ref cimport PyObject, Py_DECREF, Py_XDECREF
from libc.errno cimport EAGAIN, EINTR, ENOBUFS, errno

import os

cdef extern from "Python.h":
    PyObject *PyBytes_FromStringAndSize(const char *data, Py_ssize_t size) except NULL
    int _PyBytes_Resize(PyObject **data, Py_ssize_t size) except -1

cdef extern from "sys/socket.h" nogil:
    ssize_t recv(int fd, void *buffer, size_t size, int flags)
    ssize_t send(int fd, const void *data, size_t size, int flags)
    enum:
        MSG_DONTWAIT

cdef enum:
    _BUFFER_BYTES = 65536


cpdef receive(int fd, Py_ssize_t maximum_bytes):
    """What has arrived, at most maximum_bytes; b"" at the end; None when there is nothing now."""
    cdef char buffer[_BUFFER_BYTES]
    cdef ssize_t count
    cdef PyObject *made
    if maximum_bytes > _BUFFER_BYTES:
        return _receive_much(fd, maximum_bytes)
    while True:
        count = recv(fd, buffer, maximum_bytes, MSG_DONTWAIT)
        if count >= 0:
            made = PyBytes_FromStringAndSize(buffer, count)
            data = <object>made
            Py_DECREF(data)
            return data
        if errno == EAGAIN:
            return None
        if errno != EINTR:
            raise OSError(errno, os.strerror(errno))


cdef _receive_much(int fd, Py_ssize_t maximum_bytes):
    """The same for a body: straight into the object, of which the rest is given back."""
    cdef PyObject *made = PyBytes_FromStringAndSize(NULL, maximum_bytes)
    cdef ssize_t count
    while True:
        count = recv(fd, PyBytes_AS_STRING(<object>made), maximum_bytes, MSG_DONTWAIT)
        if count >= 0:
            _PyBytes_Resize(&made, count)  # raises MemoryError, and has let go of it then
            data = <object>made
            Py_DECREF(data)
            return data
        if errno == EAGAIN:
            Py_XDECREF(made)
            return None
        if errno != EINTR:
            Py_XDECREF(made)
            raise OSError(errno, os.strerror(errno))


cpdef Py_ssize_t transmit(int fd, bytes data) except -1:
    """Send as much as the socket takes: the number of bytes, 0 when it takes none now."""
    cdef ssize_t count
    while True:
        count = send(fd, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), MSG_DONTWAIT)
        if count >= 0:
            return count
        if errno == EAGAIN or errno == ENOBUFS:
            return 0
        if errno != EINTR:
            raise OSError(errno, os.strerror(errno))
