"""What hammers on the core: fuzz targets, the sanitizers' run, the leak check.

`http1` and `response` each hold an invariant and a function `check(data)` that raises where it is
broken. The same function is run by atheris (`python -m fuzz http1 --seconds 30`), on saved inputs
(`python -m fuzz http1 FILE`) and by the tests. `sanitize` and `leaks` are commands of their own.
"""
