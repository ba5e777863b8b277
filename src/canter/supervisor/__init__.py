"""The supervisor: it owns sockets, signals and the scoreboard, and keeps workers alive.

The way in is `start`. `states`, `actions`, `roster`, `backoff`, `policy`, `reports`, `banner`,
`orders`, `pledges` and `status` decide, with values only; the other modules do. It never imports
the application.
"""
