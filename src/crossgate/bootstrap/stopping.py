"""Work that a request to stop cuts short."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


async def unless_stopped(work: Coroutine[None, None, None], stop: asyncio.Event) -> bool:
    """Do ``work``, or give it up once ``stop`` is set; whether it was done. What it raises is raised."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})
    if working.cancelled():
        return False
    working.result()
    return True
