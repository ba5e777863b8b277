"""PEP 3333: one call of a WSGI application, whatever the wire format and the engine."""
