"""The tests mirror the package: tests/protocol/http1/test_reader.py is of http1/reader.py."""
