"""The PROXY protocol, versions 1 and 2: who the client is, said ahead of everything else.

https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""
