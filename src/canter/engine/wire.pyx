# cython: language_level=3, freethreading_compatible=True
"""The compiled version of wire.py, which tells what these functions promise.

The calls are made with the interpreter lock held: on a non-blocking socket they cannot wait, and
letting go of the lock and taking it again would cost more than the call itself. Only files are sent
without it: a disk can take its time.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.ref cimport PyObject, Py_DECREF, Py_XDECREF
from libc.errno cimport EAGAIN, EINTR, ENOBUFS, errno
from libc.string cimport memset

import os

cdef extern from "Python.h":
    PyObject *PyBytes_FromStringAndSize(const char *data, Py_ssize_t size) except NULL
    int _PyBytes_Resize(PyObject **data, Py_ssize_t size) except -1

cdef extern from "sys/socket.h" nogil:
    ssize_t recv(int fd, void *buffer, size_t size, int flags)
    ssize_t send(int fd, const void *data, size_t size, int flags)
    struct iovec:
        void *iov_base
        size_t iov_len
    struct msghdr:
        iovec *msg_iov
        size_t msg_iovlen
    ssize_t sendmsg(int fd, const msghdr *message, int flags)
    enum:
        MSG_DONTWAIT

cdef extern from *:
    """
    #include <arpa/inet.h>
    #include <fcntl.h>
    #include <netinet/in.h>
    #include <sys/socket.h>
    #include <unistd.h>

    /* The next connection; host: room for INET6_ADDRSTRLEN. port: -1 where there is none. */
    static int canter_accept(int listener, char *host, int *port) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        int fd;
        *port = -1;
    #if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
        fd = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return -1;
    #else
        fd = accept(listener, (struct sockaddr *)&peer, &size);
        if (fd < 0) return -1;
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    #endif
        /* macOS gives no address where the client has left already: then there is no family. */
        if (size == 0) return fd;
        if (peer.ss_family == AF_INET) {
            struct sockaddr_in *in = (struct sockaddr_in *)&peer;
            inet_ntop(AF_INET, &in->sin_addr, host, INET6_ADDRSTRLEN);
            *port = ntohs(in->sin_port);
        } else if (peer.ss_family == AF_INET6) {
            struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&peer;
            inet_ntop(AF_INET6, &in6->sin6_addr, host, INET6_ADDRSTRLEN);
            *port = ntohs(in6->sin6_port);
        }
        return fd;
    }
    """
    int canter_accept(int listener, char *host, int *port) nogil
    enum:
        INET6_ADDRSTRLEN

cdef extern from "unistd.h" nogil:
    int close_descriptor "close"(int fd)

cdef extern from *:
    """
    #ifdef __linux__
    #include <sys/sendfile.h>
    static long long canter_sendfile(int fd, int from, long long offset, long long count) {
        off_t start = (off_t)offset;
        return sendfile(fd, from, &start, (size_t)count);
    }
    enum { CANTER_HAS_SENDFILE = 1 };
    #else  /* each system has another one */
    static long long canter_sendfile(int fd, int from, long long offset, long long count) {
        (void)fd, (void)from, (void)offset, (void)count;
        return -1;
    }
    enum { CANTER_HAS_SENDFILE = 0 };
    #endif
    """
    long long canter_sendfile(int fd, int start, long long offset, long long count) nogil
    const bint CANTER_HAS_SENDFILE

cdef enum:
    _BUFFER_BYTES = 65536


cpdef accept(listener):
    """Who waits at a non-blocking listening socket: a descriptor, host and port; None for nobody."""
    cdef char host[INET6_ADDRSTRLEN]
    cdef int port
    cdef int fd
    cdef int at = listener.fileno()
    while True:
        fd = canter_accept(at, host, &port)
        if fd >= 0:
            break
        if errno == EAGAIN:
            return None
        if errno != EINTR:
            raise OSError(errno, os.strerror(errno))
    if port < 0:
        return fd, "", ""
    return fd, host.decode("ascii"), str(port)


cpdef close_socket(int fd):
    """Close a socket. It is gone whatever the kernel says, so nothing is raised."""
    close_descriptor(fd)


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


cpdef Py_ssize_t transmit_parts(int fd, bytes before, bytes data, bytes behind) except -1:
    """As `transmit`, three pieces in a row, none of them copied."""
    cdef iovec parts[3]
    cdef msghdr message
    cdef ssize_t count
    parts[0].iov_base = PyBytes_AS_STRING(before)
    parts[0].iov_len = PyBytes_GET_SIZE(before)
    parts[1].iov_base = PyBytes_AS_STRING(data)
    parts[1].iov_len = PyBytes_GET_SIZE(data)
    parts[2].iov_base = PyBytes_AS_STRING(behind)
    parts[2].iov_len = PyBytes_GET_SIZE(behind)
    memset(&message, 0, sizeof(message))
    message.msg_iov = parts
    message.msg_iovlen = 3
    while True:
        count = sendmsg(fd, &message, MSG_DONTWAIT)
        if count >= 0:
            return count
        if errno == EAGAIN or errno == ENOBUFS:
            return 0
        if errno != EINTR:
            raise OSError(errno, os.strerror(errno))


cpdef long long transmit_file(int fd, int descriptor, long long offset, long long count) except -2:
    """Send of a file: the number of bytes, 0 where it ends, -1 when the socket takes none now."""
    cdef long long sent
    if not CANTER_HAS_SENDFILE:
        try:
            return os.sendfile(fd, descriptor, offset, count)
        except BlockingIOError:
            return -1
    while True:
        with nogil:
            sent = canter_sendfile(fd, descriptor, offset, count)
        if sent >= 0:
            return sent
        if errno == EAGAIN:
            return -1
        if errno != EINTR:
            raise OSError(errno, os.strerror(errno))
