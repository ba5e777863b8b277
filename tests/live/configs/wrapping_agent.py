"""An agent that is initialised in each worker and wraps the application there (New Relic)."""


def post_worker_init(worker):
    import newrelic.agent

    newrelic.agent.initialize()
    worker.log.info("agent initialised in %s", worker)
    worker.wsgi = newrelic.agent.WSGIApplicationWrapper(worker.wsgi, name="shop")
