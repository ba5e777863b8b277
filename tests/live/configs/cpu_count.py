"""Workers from the number of processors, as the documentation of many frameworks has it."""

import multiprocessing

bind = "127.0.0.1:0"
workers = multiprocessing.cpu_count() * 2 + 1
threads = 2 * multiprocessing.cpu_count()
worker_class = "gthread"
timeout = 120
graceful_timeout = 120
keepalive = 5
