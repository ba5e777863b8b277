# The C types of scheme.py, which stays ordinary Python: Cython reads this file beside it.
cimport cython


@cython.locals(key=str, secure=str, value=str, told=str, this=str, scheme=str)
cpdef apply_scheme(tuple schemes, dict environ, bint repeated)
