"""A signal that prints what every thread does."""

import faulthandler
import os
import signal


def post_worker_init(worker):
    file = open(f"{os.environ['STACKS']}.{worker.pid}", "w")
    worker.stacks = file  # it must stay open
    faulthandler.register(signal.SIGUSR2, file=file, all_threads=True)
