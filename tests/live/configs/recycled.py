"""Workers that are replaced after some requests, spread, because something leaks."""

import os

workers = int(os.environ.get("WEB_WORKERS", 1))
max_requests = 5
max_requests_jitter = 2


def worker_exit(server, worker):
    server.log.info("worker %s leaves, age %s of %s", worker.pid, worker.age, server.worker_age)
