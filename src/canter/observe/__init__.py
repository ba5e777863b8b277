"""What can be seen of a running server: the scoreboard, the access log, the error log."""
