"""Connections opened before the fork are not used after it."""

import pool


def post_fork(server, worker):
    server.log.info("pool of %s reset in %s", pool.opened_by, worker.pid)
    pool.dispose()


def worker_exit(server, worker):
    pool.close()
