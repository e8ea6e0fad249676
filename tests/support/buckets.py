"""An object store on loopback, for as long as a test module runs; none without moto."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

TRIED = "TRIED_ADDRESS"
"""Another store to try, such as az://container of an emulator, with what opens it in the environment."""
WITHOUT = "no moto: pip install 'mcp-memory-evidence[objects]' tries banks on an object store"


@contextmanager
def bucket() -> Iterator[str]:
    """The address of a fresh bucket, with what opens it in the environment."""
    if given := os.environ.get(TRIED):
        yield f"{given}/{uuid4().hex[:12]}"
        return
    server = pytest.importorskip("moto.server", reason=WITHOUT)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    serving = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    serving.start()
    host, port = serving.get_host_and_port()
    told = {
        "AWS_ACCESS_KEY_ID": "tried",
        "AWS_SECRET_ACCESS_KEY": "on-loopback",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield f"s3://{_made(f'http://{host}:{port}')}"
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        serving.stop()


def _made(url: str) -> str:
    """A bucket of a name that was never used: the server's are one process's."""
    import httpx2

    name = f"bank-{uuid4().hex[:12]}"
    httpx2.put(f"{url}/{name}").raise_for_status()
    return name
