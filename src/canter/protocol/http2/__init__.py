"""HTTP/2 (RFC 9113) and HPACK (RFC 7541) without I/O: frames in, requests out, and back.

From the bytes up: `incoming` takes frames apart, `decoder` unpacks heads, `connection` knows the
streams (`tracks`, `states`) and windows, `outgoing` makes frames and `encoder` packs heads; `heads`
says what a head is in the terms of HTTP/1, by whose judges it is judged. What a peer can do wrong
is listed in `errors`; what it may make us do for nothing is counted in `strain`.
"""
