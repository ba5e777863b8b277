# The C types of variables.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython

from canter.protocol.octets cimport is_plain
from canter.protocol.request cimport Request

cdef int _LEFT_ALONE
cdef int _FIELD_OF_HTTP
cdef int _NO_FIELD
cdef int _TOLD
cdef int _TOLD_PLAINLY
cdef Py_ssize_t _KNOWN_NAMES_MAXIMUM
cdef Py_ssize_t _KNOWN_NAME_BYTES
cdef dict _known_names

@cython.locals(told=dict, environ=dict, request=Request)
cpdef Request request_from(dict base, variables, limits, leniency)

@cython.locals(told=dict, fields=cython.longlong, most_fields=cython.longlong,
               most_bytes=cython.longlong, kind=cython.int, name_bytes=bytes, value_bytes=bytes,
               name=str, value=str)
cpdef dict collect(variables, limits)

@cython.locals(kind=cython.int)
cdef tuple _judge_name(bytes name_bytes)

cdef str _again(str name, int kind, str before, str value)

@cython.locals(environ=dict, method=str, version=str)
cdef _judge_line(Request request, dict told, leniency)

@cython.locals(environ=dict, target=str, size=cython.Py_ssize_t)
cdef _judge_target(Request request, limits)

@cython.locals(environ=dict, text=str)
cdef _judge_body(Request request, str transfer_encoding, limits)

cdef str _scheme(dict told, str before)
