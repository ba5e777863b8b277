"""Wire formats without I/O: bytes in, requests and bytes out; no socket, thread, clock or logger.

Every wire format yields the same `Request` and raises the same `Fault`s, so the engine and the WSGI
layer know nothing of wire formats. What is shared lives here (`faults`, `limits`, `fields`,
`framing`, `target`, `trust`); each format has a package of its own.
"""
