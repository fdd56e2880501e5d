"""Tell the members of a room something from a plain script, and from threads of it.

python -m sandbox_servers.publish on_starlette queue ROOM CHANNEL
"""

import sys
import threading
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

from sandbox_servers.messages import NewsEvent

__all__ = ["main"]

CALLS = 5  # all together fewer than a layer has room for
THREADS = 4


def main(arguments: Sequence[str]) -> None:
    """Send events to a room and to one channel, by the functions that are not async."""
    warnings.simplefilter("error")
    application, alias, room, channel = arguments
    # Registers the layers.
    module = import_module(f"sandbox_servers.{application}")
    consumer: Any = module.served[f"ws/{alias}"]

    def publish(name: str) -> None:
        for number in range(CALLS):
            consumer.broadcast_event_sync(NewsEvent(payload=f"{name}:{number}"), room)
            consumer.send_event_sync(NewsEvent(payload=f"{name}:{number}:own"), channel)

    publish("script")
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(publish, [f"thread {number}" for number in range(THREADS)]))
    publish("again")
    sys.stdout.write("published\n")
    sys.stdout.flush()
    # Until it is looked at; then nothing but the main thread may be running.
    sys.stdin.readline()
    for thread in set(threading.enumerate()) - {threading.main_thread()}:
        thread.join(timeout=2)  # one that was told to end may be about to
    sys.stdout.write(f"threads {[thread.name for thread in threading.enumerate()]}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
