"""The project's one Django app: documents with an attached file."""
