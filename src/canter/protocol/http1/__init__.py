"""HTTP/1.1 and HTTP/1.0 (RFC 9112): `reader` takes requests apart, `writer` makes responses.

Scanning (`scan_ref`, `scan_fast`) finds where things are and notes facts; judging is ordinary
Python in `reader`, `request_line` and the shared modules one level up.
"""
