"""What uwsgi, SCGI and FastCGI have in common.

CGI's variables (RFC 3875) for a head, and a web server on the other side that tells who its client
is.
"""
