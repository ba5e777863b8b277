# The C types of decoder.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.http2.fields cimport Field, Name, name_of
from canter.protocol.http2.huffman cimport decode as decode_huffman

cdef list _STATIC
cdef Py_ssize_t _FIRST_DYNAMIC
cdef Py_ssize_t _TABLE_BYTES
cdef int _LONGEST_SHIFT


cdef class Decoder:
    cdef list _entries
    cdef Py_ssize_t _list_limit
    cdef Py_ssize_t _size
    cdef Py_ssize_t _table_limit
    cdef bytes _data
    cdef Py_ssize_t _pos
    cdef Py_ssize_t _end
    cdef bytes _string
    cdef Py_ssize_t _from
    cdef Py_ssize_t _to

    @cython.locals(fields=list, total=cython.Py_ssize_t, first=cython.int, field=Field)
    cpdef list decode(self, bytes data, Py_ssize_t start, Py_ssize_t end)
    @cython.locals(index=cython.Py_ssize_t, name=Name)
    cdef Field _literal(self, int mask)
    @cython.locals(entries=list, at=cython.Py_ssize_t)
    cdef Field _entry(self, Py_ssize_t index)
    @cython.locals(data=bytes, pos=cython.Py_ssize_t, value=cython.Py_ssize_t, shift=cython.int,
                   octet=cython.Py_ssize_t)
    cdef Py_ssize_t _integer(self, int mask) except -1
    @cython.locals(is_huffman=cython.bint, length=cython.Py_ssize_t, start=cython.Py_ssize_t,
                   behind=cython.Py_ssize_t, string=bytes)
    cdef _read_string(self)
    cdef _add(self, Field field)
    cdef _resize(self, Py_ssize_t size)
    @cython.locals(entries=list, count=cython.Py_ssize_t, field=Field)
    cdef _make_room(self, Py_ssize_t limit)
