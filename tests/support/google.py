"""Google's object store on loopback: gcp-storage-emulator, and before it the XML calls that Lance makes.

    pip install gcp-storage-emulator
    python tests/support/google.py 4443 &
    STORAGE_EMULATOR_HOST=http://127.0.0.1:4443 TRIED_ADDRESS=gs://bank pytest tests/test_bank.py

The emulator has the JSON calls, which Arrow makes. What is added is written after Google's
description of the XML interface (one object a request; a generation that must match) and stands
for it as far as that was read rightly.
"""

import sys
import threading
from urllib.parse import quote
from xml.sax.saxutils import escape

import anyio
import httpx2
import uvicorn
from gcp_storage_emulator.server import create_server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

JSON = ("storage", "upload", "download", "batch", "b")
"""How paths of the JSON calls begin; any other is a bucket's name."""


class Front:
    """Answers XML calls by JSON ones, and hands those on as they are."""

    def __init__(self, url: str) -> None:
        self._emulator = httpx2.AsyncClient(base_url=url, timeout=60)
        self._turn = anyio.Lock()

    async def answer(self, request: Request) -> Response:
        """Any call."""
        path = request.scope["raw_path"].decode()
        bucket, _, name = path.lstrip("/").partition("/")
        if bucket in JSON:
            return await self._handed_on(request, path)
        if not name:
            return await self._listed(bucket, request)
        place = f"/storage/v1/b/{bucket}/o/{name.replace('/', '%2F')}"
        match request.method:
            case "PUT":
                async with self._turn:
                    return await self._put(bucket, name, place, request)
            case "DELETE":
                gone = await self._emulator.delete(place)
                return Response(status_code=gone.status_code)
            case _:
                return await self._got(place, request)

    async def _put(self, bucket: str, name: str, place: str, request: Request) -> Response:
        wanted = request.headers.get("x-goog-if-generation-match")
        known = await self._emulator.get(place)
        there = known.json()["generation"] if known.status_code == 200 else "0"
        if wanted is not None and wanted != there:
            return Response(status_code=412)
        content = await request.body()
        if source := request.headers.get("x-goog-copy-source"):
            other, _, copied = source.lstrip("/").partition("/")
            found = await self._emulator.get(
                f"/storage/v1/b/{other}/o/{copied.replace('/', '%2F')}", params={"alt": "media"}
            )
            content = found.content
        kept = await self._emulator.post(
            f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name.replace('/', '%2F')}",
            content=content, headers={"content-type": "application/octet-stream"},
        )  # fmt: skip
        return Response(status_code=kept.status_code, headers=_marks(kept.json()))

    async def _got(self, place: str, request: Request) -> Response:
        known = await self._emulator.get(place)
        if known.status_code != 200:
            return Response(status_code=404)
        told = known.json()
        content = b""
        if request.method == "GET":
            content = (await self._emulator.get(place, params={"alt": "media"})).content
        size = int(told["size"])
        first, last = _range(request.headers.get("range", ""), size)
        headers = {**_marks(told), "last-modified": _day(told["updated"])}
        if request.method == "HEAD":
            return Response(headers={**headers, "content-length": str(size)})
        if "range" not in request.headers:
            return Response(content, headers=headers)
        headers["content-range"] = f"bytes {first}-{last}/{size}"
        return Response(content[first : last + 1], 206, headers=headers)

    async def _listed(self, bucket: str, request: Request) -> Response:
        asked = request.query_params
        params = {key: asked[key] for key in ("prefix", "delimiter") if asked.get(key)}
        told = (await self._emulator.get(f"/storage/v1/b/{bucket}/o", params=params)).json()
        after = asked.get("start-after", "")
        items = "".join(
            f"<Contents><Key>{escape(each['name'])}</Key><LastModified>{each['updated']}</LastModified>"
            f"<ETag>{escape(each['etag'])}</ETag><Size>{each['size']}</Size></Contents>"
            for each in sorted(told.get("items", ()), key=lambda each: each["name"])
            if each["name"] > after
        )
        folders = "".join(
            f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>"
            for each in told.get("prefixes", ())
        )
        body = f"<ListBucketResult>{items}{folders}</ListBucketResult>"
        return Response(body, media_type="application/xml")

    async def _handed_on(self, request: Request, path: str) -> Response:
        query = request.scope["query_string"].decode()
        hops = {"host", "content-length", "transfer-encoding", "accept-encoding"}
        told = await self._emulator.request(
            request.method, f"{path}?{query}" if query else path, content=await request.body(),
            headers={key: value for key, value in request.headers.items() if key not in hops},
        )  # fmt: skip
        kept = (
            "content-type",
            "content-range",
            "location",
            "range",
            "x-goog-hash",
            "x-goog-generation",
        )
        headers = {key: told.headers[key] for key in kept if key in told.headers}
        return Response(told.content, told.status_code, headers=headers)


def _marks(told: dict[str, str]) -> dict[str, str]:
    return {"etag": f'"{told["etag"]}"', "x-goog-generation": told["generation"]}


def _range(told: str, size: int) -> tuple[int, int]:
    first, _, last = told.removeprefix("bytes=").partition("-")
    if told and not first:
        return max(0, size - int(last)), size - 1
    return int(first or 0), min(int(last or size - 1), size - 1)


def _day(told: str) -> str:
    from datetime import datetime
    from email.utils import format_datetime

    return format_datetime(datetime.fromisoformat(told), usegmt=False)


def main() -> None:
    port = int(sys.argv[1])
    server = create_server("127.0.0.1", port + 1, in_memory=True, default_bucket="bank")
    threading.Thread(target=server.start, daemon=True).start()
    front = Front(f"http://127.0.0.1:{port + 1}")
    methods = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"]
    app = Starlette(
        routes=[Route(f"/{quote('{path:path}', safe='{}:')}", front.answer, methods=methods)]
    )
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
