"""The leak check: traffic of every kind, good and bad, while what the process holds stays flat.

`python -m fuzz.leaks`: a million requests through reader, exchange and writer without sockets
(`core`), then tens of thousands through a threaded engine over real ones (`sockets`). `flat` judges
what was measured.
"""
