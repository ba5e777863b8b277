"""One worker process: it loads the application, runs an engine, and does what it is told."""
