"""The workers of a Dask scheduler, to which a sweep's runs may be sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from dgm.errors import ModelError
from dgm.vae.common.console import say

PATIENCE = "10s"  # for a scheduler to answer


@contextmanager
def workers_of(address: str) -> Iterator[Executor]:
    """An executor whose calls the scheduler at ``address`` hands to its workers.

    Raises:
        ModelError: no scheduler answers there, or the package 'distributed' is not installed.
    """
    try:
        from distributed import Client  # only where it is asked for
    except ImportError:
        raise ModelError(f"SCHEDULER={address} needs the package 'distributed', which is not installed; "
                         "nearest: JOBS, on this machine") from None
    try:
        with ThreadPoolExecutor(1) as thread:  # a notebook's own thread has a loop already
            thread.submit(asyncio.run, _reach(address)).result()
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"SCHEDULER={address}: no scheduler answers there ({type(error).__name__}); an address is "
                         "like tcp://host:8786") from None
    with client, client.get_executor(pure=False) as executor:
        if not client.scheduler_info()["workers"]:
            say(f"the scheduler at {address} has no workers yet; waiting for one")
        yield executor


async def _reach(address: str) -> None:
    """Fail where a client would.

    A client whose address is refused is left half open by distributed 2026.8: it ends when it is collected as garbage,
    and if that is while another client starts, its thread waits for ever for a lock that it holds itself.
    """
    from distributed.comm.core import connect
    from distributed.security import Security

    comm = await connect(address, timeout=PATIENCE, **Security().get_connection_args("client"))
    await comm.close()
