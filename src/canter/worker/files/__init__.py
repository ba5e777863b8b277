"""Files that the server sends by itself, or in an application's name.

- `opening`: opens a file below a directory, and never another one.
- `static`: the responder for `static`.
- `handed`: the files that an application names in X-Sendfile or X-Accel-Redirect.
"""
