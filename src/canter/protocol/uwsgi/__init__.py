"""The uwsgi protocol, as nginx and Apache speak it: a packet of variables, then the body."""
