"""gevent's patches to the standard library, made before anything is imported that would notice."""

from __future__ import annotations

import warnings

from canter.errors import BootError


def patch() -> None:
    """Have everything in this process that waits let other greenlets run meanwhile.

    To be called in a worker's main thread, before the application is imported and before selectors
    and threads are made. Raises BootError where gevent is not installed.
    """
    try:
        from gevent import monkey
    except ImportError as error:
        raise BootError(
            "worker_class gevent needs gevent, which cannot be imported "
            f"({error}): pip install 'canter[gevent]'"
        ) from None
    with warnings.catch_warnings():
        # It warns of modules that use ssl already. They are the server's own, which speaks no TLS
        # by this engine.
        warnings.simplefilter("ignore", monkey.MonkeyPatchWarning)
        monkey.patch_all()
