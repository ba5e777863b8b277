"""The gevent engine: a greenlet for each connection, all in one thread.

What is heard and said is decided where the threaded engine has it decided: the session, the
exchange, the answers and the books are the same. Here is only who waits for what, and how.
"""
