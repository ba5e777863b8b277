"""What the server does, for whoever reads its log."""

import time

workers = 2


def on_starting(server):
    server.started_at = time.time()
    server.log.info("Starting with %s workers", server.cfg.workers)


def when_ready(server):
    addresses = ", ".join(str(listener) for listener in server.LISTENERS)
    server.log.info("Server is ready. Spawning workers at %s", addresses)


def nworkers_changed(server, new_value, old_value):
    server.log.info("nworkers: %s -> %s", old_value, new_value)


def on_exit(server):
    server.log.info("Shutting down after %d s", time.time() - server.started_at)
