"""SCGI: a netstring of variables, then the body."""
