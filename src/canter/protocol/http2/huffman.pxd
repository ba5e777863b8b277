# The C types of huffman.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

ctypedef const unsigned char *octets_t
ctypedef unsigned char *made_t

cdef int _NOTHING
cdef int _WRONG
cdef bytes _FOLLOWING
cdef bytes _DONE
cdef bytes _SYMBOLS
cdef bytes _ENDS

@cython.locals(octets=octets_t, following=octets_t, done=octets_t, symbols=octets_t,
               room=bytearray, made=made_t, count=cython.Py_ssize_t, node=cython.int,
               at=cython.int, i=cython.Py_ssize_t)
cpdef bytes decode(bytes data, Py_ssize_t start, Py_ssize_t end)
