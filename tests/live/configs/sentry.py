"""Sentry started in each worker, after the fork, so that its threads are the worker's."""

import os

import sentry_sdk
from sentry_sdk.transport import Transport


class ToFile(Transport):
    def capture_envelope(self, envelope):
        event = envelope.get_event()
        if event is not None:
            with open(os.environ["SENTRY_FILE"], "a", encoding="utf-8") as file:
                kind = event["exception"]["values"][0]["type"]
                file.write(f"{os.getpid()} {kind} {event['tags']['worker']}\n")


def post_fork(server, worker):
    sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=ToFile, default_integrations=False)
    sentry_sdk.get_global_scope().set_tag("worker", worker.age)
    server.log.info("Sentry watches worker %s", worker.pid)
