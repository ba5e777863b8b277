"""prometheus_client in several processes: the metrics of dead workers are given up."""

import os
import shutil

from prometheus_client import multiprocess

workers = 2
_directory = os.environ["PROMETHEUS_MULTIPROC_DIR"]


def on_starting(server):
    shutil.rmtree(_directory, ignore_errors=True)
    os.makedirs(_directory)


def child_exit(server, worker):
    multiprocess.mark_process_dead(worker.pid)
