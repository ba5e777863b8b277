"""HTTP/2 (RFC 9113) without I/O: frames in, requests out, and back.

Frames, HPACK and the states of streams are the h2 library's (`canter[http2]`), imported only where
HTTP/2 is on. What a request may look like is judged by the same judges as HTTP/1's; what a peer may
make us do for nothing is counted in `strain`.
"""
