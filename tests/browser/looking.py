"""Looks at a page as everybody may have to: without a mouse, with a reader, in either theme."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What a page is made of is the same in both themes; only its colors are looked at again.
_RULES = {
    "light": {"runOnly": {"type": "tag", "values": _TAGS}},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
}
# Colors that are still on their way are nobody's: what inherits a color begins to change a frame after its parent.
_STILL = """() => new Promise(resolve => {
    let frames = 6;
    const next = () => (frames-- ? requestAnimationFrame(next) : resolve(null));
    next();
})"""


def look(page: Page, where: str) -> list[str]:
    """Answer what is wrong with the page as it stands, in words that begin with `where`."""
    found = []
    for theme, rules in _RULES.items():
        page.evaluate("isDark => document.documentElement.classList.toggle('dark', isDark)", theme == "dark")
        page.evaluate(_STILL)
        for violation in Axe().run(page, options=rules).response["violations"]:
            node = violation["nodes"][0]
            found.append(f"{where} ({theme}): {violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}")
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"):
        found.append(f"{where}: scrolls sideways at {page.viewport_size}")
    if page.locator("h1").count() != 1:
        found.append(f"{where}: {page.locator('h1').count()} h1")
    return found
