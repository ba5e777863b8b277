"""An image behind a load balancer: what it has to know comes from the platform."""

import json
import os

bind = os.getenv("BIND", f"{os.getenv('HOST', '0.0.0.0')}:{os.getenv('WEB_PORT', '80')}")
workers = max(int(float(os.getenv("WORKERS_PER_CORE", "1")) * 2), 2)
if os.getenv("MAX_WORKERS"):
    workers = min(workers, int(os.environ["MAX_WORKERS"]))
worker_tmp_dir = "/dev/shm"
forwarded_allow_ips = "*"
accesslog = os.getenv("ACCESS_LOG", "-") or None
errorlog = os.getenv("ERROR_LOG", "-") or None
loglevel = os.getenv("LOG_LEVEL", "info")
capture_output = True
access_log_format = '%({x-forwarded-for}i)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(a)s" %(L)s'

# For whoever reads the container's log.
print(json.dumps({"workers": workers, "bind": bind, "loglevel": loglevel}), flush=True)
