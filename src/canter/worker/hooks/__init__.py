"""Hooks: functions of the deployment, called under Gunicorn's names with what Gunicorn gives them.

`calling` finds and calls them; `views` are the objects that they are given; `around` is what runs
before and after each request. The supervisor has a module of its own for those that run there.
"""

from __future__ import annotations
