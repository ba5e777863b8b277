"""An agent that patches libraries at start and opens its connection in each worker (Datadog)."""

import logging

from ddtrace import patch_all, tracer

patch_all(requests=True)
logging.getLogger("ddtrace").setLevel(logging.WARNING)

proc_name = "shop"


def post_fork(server, worker):
    server.log.info("Worker spawned (pid: %s)", worker.pid)
    tracer.configure(hostname="127.0.0.1", port=8126)


def worker_exit(server, worker):
    tracer.shutdown(timeout=1)
