# cython: language_level=3, freethreading_compatible=True
"""The compiled version of room.py, which tells what this class promises.

The memory is that of a bytes object which nobody else has seen yet, or nobody has any more. The
file that the application reads shares it, so that a body which is read in one piece is not copied.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.ref cimport PyObject, Py_DECREF
from libc.errno cimport EAGAIN, EINTR, errno
from libc.string cimport memcpy

import io
import os

cdef extern from *:
    """
    /* Makes bytes that nobody else has what they would be if they were new: of this length, with
       no hash remembered. The memory behind them stays as large as it is. */
    static void canter_as_new(PyObject *made, Py_ssize_t size) {
        Py_SET_SIZE(made, size);
        PyBytes_AS_STRING(made)[size] = '\\0';
    _Py_COMP_DIAG_PUSH
    _Py_COMP_DIAG_IGNORE_DEPR_DECLS
        ((PyBytesObject *)made)->ob_shash = -1;
    _Py_COMP_DIAG_POP
    }

    /* Without the interpreter lock a count says nothing: another thread may have its own. */
    static int canter_is_unshared(PyObject *made) {
    #ifdef Py_GIL_DISABLED
        return 0;
    #else
        return Py_REFCNT(made) == 1;
    #endif
    }
    """
    void canter_as_new(PyObject *made, Py_ssize_t size)
    int canter_is_unshared(PyObject *made)

cdef extern from "Python.h":
    PyObject *PyBytes_FromStringAndSize(const char *data, Py_ssize_t size) except NULL

cdef extern from "sys/socket.h" nogil:
    ssize_t recv(int fd, void *buffer, size_t size, int flags)
    enum:
        MSG_DONTWAIT


cdef class Room:
    """So many bytes of memory, and the next byte behind a body that fills it."""

    def __init__(self, Py_ssize_t capacity):
        if capacity < 1:
            raise ValueError(capacity)  # no bytes are one object for all
        cdef PyObject *made = PyBytes_FromStringAndSize(NULL, capacity)
        self.capacity = capacity
        self._memory = <bytes>made
        Py_DECREF(self._memory)

    cpdef Py_ssize_t fill(self, int fd, Py_ssize_t start, Py_ssize_t end) except -2:
        """Read from a socket into the bytes between: how many, 0 at the end, -1 for none now."""
        cdef ssize_t count
        if start < 0 or end < start or end > self.capacity:
            raise IndexError(end)
        while True:
            # One byte more: where bytes end, there is one for a zero, which `open` puts there.
            count = recv(fd, PyBytes_AS_STRING(self._memory) + start, end - start + 1, MSG_DONTWAIT)
            if count >= 0:
                return count
            if errno == EAGAIN:
                return -1
            if errno != EINTR:
                raise OSError(errno, os.strerror(errno))

    cpdef put(self, Py_ssize_t start, bytes data):
        """Keep bytes that were read elsewhere."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
        if start < 0 or start > self.capacity or size > self.capacity - start:
            raise IndexError(start + size)
        memcpy(PyBytes_AS_STRING(self._memory) + start, PyBytes_AS_STRING(data), size)

    cpdef bytes at(self, Py_ssize_t index):
        """One byte, which was read."""
        if index < 0 or index > self.capacity:
            raise IndexError(index)
        return PyBytes_AS_STRING(self._memory)[index : index + 1]

    cpdef open(self, Py_ssize_t size):
        """The first `size` bytes as a file at its start; nothing is put there after this."""
        if size < 0 or size > self.capacity:
            raise IndexError(size)
        canter_as_new(<PyObject *>self._memory, size)
        return io.BytesIO(self._memory)

    cpdef bint is_free(self):
        """Whether this memory may have another body, now that the file was closed."""
        return canter_is_unshared(<PyObject *>self._memory)
