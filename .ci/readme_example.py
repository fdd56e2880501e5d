"""Run the Python blocks of a README as one program, then use what it has made: shout, and hear it louder.

python .ci/readme_example.py README
"""

import asyncio
import inspect
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ADDRESSES = {"chanx-django": "/ws/shout/"}  # others: /ws/shout
LIMIT = 10.0  # seconds


def main(readme: Path) -> None:
    """Fail where the example does not do what every README's example does."""
    package = readme.parent.name
    if package == "chanx-django":
        configure_django()
    blocks = re.findall(
        r"^```python\n(.*?)^```$", readme.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    module = ModuleType("example")
    sys.modules["example"] = module
    exec(compile("\n".join(blocks), readme, "exec"), vars(module))
    asyncio.run(use(module, ADDRESSES.get(package, "/ws/shout")))
    print("ran the example of", package, flush=True)


def configure_django() -> None:
    import django
    from django.conf import settings

    settings.configure(INSTALLED_APPS=["channels", "chanx.channels"], SECRET_KEY="example")
    django.setup()


async def use(module: ModuleType, path: str) -> None:
    """Await the tests of the example, and speak to its application if it has one."""
    for name, test in vars(module).copy().items():
        if name.startswith("test_") and inspect.iscoroutinefunction(test):
            await test()
    app = getattr(module, "app", None) or getattr(module, "application", None)
    if app is not None:
        answer = await shout(app, path)
        assert answer == {"action": "shout", "payload": "HELLO"}, answer


# Any: ASGI.
async def shout(app: Any, path: str) -> Any:
    """Return what one frame is answered by, over bare ASGI: no test tool has to be installed."""
    sent, received = asyncio.Queue[Any](), asyncio.Queue[Any]()
    scope = {
        "type": "websocket",
        "path": path,
        "headers": [],
        "query_string": b"",
        "subprotocols": [],
    }
    frame = json.dumps({"action": "shout", "payload": "hello"})
    received.put_nowait({"type": "websocket.connect"})
    received.put_nowait({"type": "websocket.receive", "text": frame})
    task = asyncio.ensure_future(app(scope, received.get, sent.put))
    async with asyncio.timeout(LIMIT):
        accepted, answer = await sent.get(), await sent.get()
        assert accepted["type"] == "websocket.accept", accepted
        received.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait([task])
    return json.loads(answer["text"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
