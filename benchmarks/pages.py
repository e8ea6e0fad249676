"""The page's speed and size: each address over HTTP, and the first paint in a real browser.

    python benchmarks/pages.py --home PATH        # a bank that is filled already; it is only read

Needs `pip install -e ".[browser]"` and Chromium for the paints; without them it times the answers.
"""

import argparse
import re
import shutil
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import httpx2

from mcp_memory.server.listening import open_viewer
from mcp_memory.settings import Settings

ROUNDS = 5
FIRST = """() => new Promise((told) => new PerformanceObserver((list) => {
  const found = list.getEntriesByName("first-contentful-paint")[0];
  if (found) told(found.startTime);
}).observe({ type: "paint", buffered: true }))"""
PATHS = (
    "/",
    "/timeline",
    "/search?q=push+protected+branch",
    "/memories",
    "/review",
    "/map",
    "/graph",
)


async def main(home: Path) -> None:
    """Print a table: address, milliseconds to the whole answer, kB sent, milliseconds to first paint."""
    settings = Settings(home=home, index_auto=False, listen_port=0)
    async with open_viewer(settings, read_only=True) as listener:
        base = f"{listener.url}/view"
        async with httpx2.AsyncClient(follow_redirects=True, timeout=120) as client:
            timeline = await client.get(listener.view)
            timeline = await client.get(f"{base}/timeline")
            sessions = re.findall(r"/view(/session/[0-9a-z]+)", timeline.text)
            paths = (*PATHS, *sessions[:1])
            timed = {path: await _timed(client, base + path) for path in paths}
            cookies = dict(client.cookies)
        paints = await _paints(base, cookies, [path for path in paths if path != "/graph"])
    print(f"{'address':<40}{'ms':>8}{'kB':>8}{'paint':>8}")
    for path, (milliseconds, size) in timed.items():
        paint = f"{paints[path]:.0f}" if path in paints else ""
        print(f"{path:<40}{milliseconds:>8.0f}{size / 1000:>8.0f}{paint:>8}")


async def _timed(client: httpx2.AsyncClient, url: str) -> tuple[float, int]:
    spent, size = [], 0
    await client.get(url)  # once before it is counted: caches fill
    for _ in range(ROUNDS):
        started = time.perf_counter()
        answer = await client.get(url)
        spent.append((time.perf_counter() - started) * 1000)
        answer.raise_for_status()
        size = answer.num_bytes_downloaded
    return statistics.median(spent), size


async def _paints(base: str, cookies: dict[str, str], paths: Sequence[str]) -> dict[str, float]:
    browser = shutil.which("chromium") or shutil.which("chrome")
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        return {}
    if browser is None:
        return {}
    async with async_playwright() as engine:
        opened = await engine.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        context = await opened.new_context()
        await context.add_cookies(
            [{"name": name, "value": value, "url": f"{base}/"} for name, value in cookies.items()]
        )
        tab = await context.new_page()
        found = {path: await _paint(tab, base + path) for path in paths}
        await opened.close()
    return found


async def _paint(tab: Any, url: str) -> float:
    spent = []
    for _ in range(ROUNDS):
        await tab.goto(url)
        spent.append(await tab.evaluate(FIRST))
    return statistics.median(spent)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--home", type=Path, required=True)
    anyio.run(main, asked.parse_args().home)
