"""The page in a real browser: keys, back and reload, two tabs, hostile text, and what axe finds.

Pictures of it are kept where MCP_MEMORY_PICTURES names a folder, as docs/pictures has them.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import spring
from looking import HOSTILE, claude_session, filled, viewing

from mcp_memory.bank import open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.domain.models import Draft, Evidence
from mcp_memory.settings import Settings

playwright = pytest.importorskip(
    "playwright.async_api", reason="pip install -e '.[browser]' drives the page in a browser"
)
axe = pytest.importorskip("axe_playwright_python.async_playwright")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium here: apt-get install chromium"),
    pytest.mark.timeout(180),
]
PAGES = ("/", "/timeline", "/search?q=orders+export", "/memories", "/review", "/map",
         "/delete?contains=orders", "/admin")  # fmt: skip
TOO_WIDE = """[...document.querySelectorAll("main *")]
  .filter((one) => one.getBoundingClientRect().right > 400)
  .map((one) => one.tagName + "." + one.className).slice(0, 8)"""
MEMORIES = (
    "Name the encoding wherever the shop opens a file: exports lost umlauts on machines without UTF-8.",
    "Run `make test` after `make migrate` on a fresh checkout, or the orders table is missing.",
)
RTL = "תקן את הייצוא 📦 של ההזמנות"


@asynccontextmanager
async def opened(link: str, **how: Any) -> AsyncIterator[Any]:
    """A tab of a browser that came in by a link; what its scripts complain of is in `faults`."""
    async with playwright.async_playwright() as engine:
        browser = await engine.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        context = await browser.new_context(**how)
        tab = await context.new_page()
        tab.faults = []
        tab.on("pageerror", lambda error: tab.faults.append(str(error)))
        tab.on(
            "console", lambda told: tab.faults.append(told.text) if told.type == "error" else None
        )
        await tab.goto(link)
        yield tab
        await browser.close()


async def test_every_page_is_without_serious_findings_of_axe_and_without_faults(
    settings: Settings, tmp_path: Path
) -> None:
    ref = await filled(settings, tmp_path)
    found: list[str] = []
    async with viewing(settings) as (base, link), opened(link) as tab:
        session = await first_session(tab, base)
        for scheme in ("light", "dark"):
            await tab.emulate_media(color_scheme=scheme)
            for path in (*PAGES, session, f"/memory/{ref}"):
                await tab.goto(base + path)
                results = await axe.Axe().run(tab)
                found += [
                    f"{scheme} {path}: {one['id']} {[n['html'][:90] for n in one['nodes'][:2]]}"
                    for one in results.response["violations"]
                    if one["impact"] in ("serious", "critical")
                ]
        assert tab.faults == []
    assert found == []


async def test_no_script_of_a_transcript_or_a_memory_runs(
    settings: Settings, tmp_path: Path
) -> None:
    bad = claude_session(tmp_path, "bad", [HOSTILE], cwd="/work/bad", output=HOSTILE)
    await filled(settings, tmp_path, bad)
    async with viewing(settings) as (base, link), opened(link) as tab:
        await tab.goto(f"{base}/memories")
        await tab.fill("textarea[name=text]", HOSTILE)
        await pressed(tab, "button:text-is('Keep')")
        memory = tab.url.removeprefix(base)
        await tab.goto(f"{base}/timeline?words=script")
        session = await tab.get_attribute("article.line a.what", "href")
        for path in ("/timeline", "/memories", "/map", "/", memory, session.removeprefix("/view")):
            await tab.goto(base + path)
            assert await tab.evaluate("window.ran") is None, path
        # The control: the same text in a page without our headers does run.
        await tab.goto("about:blank")
        await tab.set_content(HOSTILE)
        assert await tab.evaluate("window.ran") is not None


async def test_the_keyboard_alone_reaches_search_timeline_and_review(
    settings: Settings, tmp_path: Path
) -> None:
    await filled(settings, tmp_path)
    async with viewing(settings) as (_, link), opened(link) as tab:
        await tab.keyboard.press("Tab")
        assert await tab.evaluate("document.activeElement.textContent") == "To the content"
        await tab.keyboard.press("/")
        await tab.keyboard.type("orders export")
        await tab.keyboard.press("Enter")
        await tab.wait_for_url("**/search?q=orders+export")
        assert await tab.locator("article.hit").count() >= 1
        await tab.locator("h1").click()
        await tab.keyboard.press("g")
        await tab.keyboard.press("t")
        await tab.wait_for_url("**/timeline")
        await tab.keyboard.press("g")
        await tab.keyboard.press("r")
        await tab.wait_for_url("**/review")
        await tab.keyboard.press("j")
        assert await tab.locator("[data-review]").count() == 1
        await tab.keyboard.press("c")
        await tab.wait_for_selector("text=Nothing waits for you.")


async def test_back_reload_and_a_second_tab_show_what_holds(
    settings: Settings, tmp_path: Path
) -> None:
    await filled(settings, tmp_path)
    async with viewing(settings) as (base, link), opened(link) as tab:
        await tab.goto(f"{base}/memories")
        await tab.fill("textarea[name=text]", "Herons nest in May.")
        await pressed(tab, "button:text-is('Keep')")
        here = tab.url
        await tab.reload()  # a reload after a form makes nothing again
        await tab.goto(f"{base}/memories")
        assert await tab.locator("article.line", has_text="Herons").count() == 1
        other = await tab.context.new_page()
        await other.goto(here)
        await tab.goto(here)
        await pressed(tab, "button[value=retire]")
        await pressed(other, "button[value=well]")  # of a page that is behind the times
        assert "Today" in await other.content()
        await tab.go_back()
        await tab.reload()
        assert await tab.locator("text=forgotten").count() >= 1


async def test_evidence_opens_in_place_and_the_map_draws(
    settings: Settings, tmp_path: Path
) -> None:
    await filled(settings, tmp_path)
    async with viewing(settings) as (base, link), opened(link) as tab:
        await tab.goto(f"{base}/review")
        await tab.click("button:text-is('Propose')")
        await tab.wait_for_selector("#proposed article, #proposed .empty")
        await tab.goto(f"{base}/map")
        await tab.wait_for_selector("#graph[data-drawn]")
        assert int(await tab.get_attribute("#graph", "data-drawn")) >= 3
        assert tab.faults == []


async def test_a_map_of_five_thousand_nodes_draws(settings: Settings) -> None:
    kinds = ("session", "file", "error", "memory")
    nodes = [
        {
            "id": str(n),
            "kind": kinds[n % 4],
            "label": f"node {n}",
            "x": n % 71 * 30,
            "y": n // 71 * 30,
        }
        for n in range(5_000)
    ]
    many = {"nodes": nodes, "edges": [[str(n), str(n // 2)] for n in range(1, 5_000)], "left": 0}
    async with viewing(settings) as (base, link), opened(link) as tab:
        await tab.route("**/graph?*", lambda route: route.fulfill(json=many))
        await tab.goto(f"{base}/map")
        await tab.wait_for_selector("#graph[data-drawn='5000']")
        await tab.fill("#find", "node 4999")
        await tab.wait_for_selector("text=1 found")
        assert tab.faults == []


@pytest.mark.parametrize("width", [400, 1280])
async def test_a_map_names_what_is_weightiest_however_small_it_is_drawn(
    settings: Settings, width: int
) -> None:
    projects = [
        {"id": f"p{n}", "kind": "project", "label": f"project {n}", "x": n * 2_000, "y": n * 2_000}
        for n in range(4)
    ]
    sessions = [
        {"id": f"t{n}", "kind": "session", "label": f"session {n}",
         "x": n % 4 * 2_000 + n // 4 * 9, "y": n % 4 * 2_000 + 300}
        for n in range(200)
    ]  # fmt: skip
    told = {"nodes": [*projects, *sessions], "edges": [], "left": 0}
    wide = {"width": width, "height": 800}
    async with viewing(settings) as (base, link), opened(link, viewport=wide) as tab:
        await tab.route("**/graph?*", lambda route: route.fulfill(json=told))
        await tab.goto(f"{base}/map")
        await tab.wait_for_selector("#graph[data-drawn='204']")
        assert int(await tab.get_attribute("#graph", "data-named")) >= len(projects)
        assert tab.faults == []


async def test_long_names_emoji_and_right_to_left_text_fit_a_phone(
    settings: Settings, tmp_path: Path
) -> None:
    odd = claude_session(
        tmp_path, "odd", [RTL, "a" * 400, "x " * 900], cwd=f"/work/{'very-long-name-' * 9}"
    )
    await filled(settings, tmp_path, odd)
    phone = {"width": 400, "height": 800}
    async with viewing(settings) as (base, link), opened(link, viewport=phone) as tab:
        session = await first_session(tab, base)
        for path in (*PAGES, session):
            await tab.goto(base + path)
            wide = await tab.evaluate("document.documentElement.scrollWidth")
            assert wide <= 400, f"{path} is {wide} wide: {await tab.evaluate(TOO_WIDE)}"


@pytest.mark.timeout(600)
async def test_the_pages_show_a_spring_of_work_at_two_widths_in_light_and_dark(
    settings: Settings, tmp_path: Path
) -> None:
    folder = Path(os.environ.get("MCP_MEMORY_PICTURES", tmp_path))
    asked = "why do exports lose umlauts"
    ref = await filled(settings, tmp_path, *spring.sessions(tmp_path))
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        found = await bank.search(Query(texts=(asked,), project="*"))
        told = [Evidence(ref=hit.ref) for hit in found.hits[:2]]
        for text in MEMORIES:
            await bank.retain(Draft(text=text, project="/home/ada/shop", evidence=told))
    unplaced = settings.model_copy(update={"local_paths": False})
    async with viewing(unplaced) as (base, link), opened(link) as tab:
        named = {
            "today": "/",
            "timeline": "/timeline",
            "session": await first_session(tab, base),
            "search": f"/search?q={asked.replace(' ', '+')}",
            "memory": f"/memory/{ref}",
            "map": "/map",
        }
        for name, path in named.items():
            for width, scheme in ((1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")):
                await tab.set_viewport_size({"width": width, "height": 800})
                await tab.emulate_media(color_scheme=scheme)
                await tab.goto(base + path)
                if name == "map":
                    await tab.wait_for_selector("#graph[data-drawn]")
                await tab.screenshot(path=str(folder / f"{name}-{width}-{scheme}.png"))
        assert tab.faults == []


async def first_session(tab: Any, base: str) -> str:
    """The path of the newest session's page."""
    await tab.goto(f"{base}/timeline")
    return str(await tab.get_attribute("article.line a.what", "href")).removeprefix("/view")


async def pressed(tab: Any, button: str) -> None:
    """A form sent by its button, and the page after it."""
    async with tab.expect_navigation():
        await tab.click(button)
