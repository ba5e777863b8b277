"""The threaded engine: a few application threads and one loop, led by one thread at a time.

- `crew` is who leads, who runs the application, who stands by.
- `loop` is what the leader does: sockets, deadlines, listeners.
- `service` is what a thread does with one complete request.
- `connection` is one client's socket.
- `engine` puts them together and is what a worker sees.
"""
