"""Visit every page of the built site in one headless Chromium, as a reader would who has no network.

    python tools/check_site.py                              look at _docs; exit status 1 and a list of what is wrong
    python tools/check_site.py --pictures FOLDER PAGE...    pictures of these pages: light, dark, and on a phone

Wrong is: a link inside the site that leads nowhere, an error on the console, a picture that is missing, a request to
another host, a block of code that scrolls sideways at 1,300 px, and a search that finds nothing.
"""
import argparse
import base64
import html
import os
import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sar_ssl.testing.browser import Browser, browsing, chromium

SITE = Path(__file__).resolve().parent.parent / "_docs"
NOBODY = ("file:", "data:", "blob:")  # what a page may ask for without a host
SIZE = 1300, 900
LOOK = """(() => {
    const name = e => e.textContent.trim().slice(0, 60);
    const missing = [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => "no picture: " + i.src);
    const wide = [...document.querySelectorAll("pre")]
        .filter(e => !e.closest(".cell_output") && e.scrollWidth > e.clientWidth)
        .map(e => `scrolls sideways by ${e.scrollWidth - e.clientWidth} px: ${name(e)}`);
    return [...missing, ...wide];
})()"""


# --- links, without a browser

def links(page: Path, text: str) -> set[tuple[Path, str]]:
    "File and anchor of everything inside the site that a page links to or loads."
    found = {urlsplit(html.unescape(link)) for link in re.findall(r'\b(?:href|src)="([^"]*)"', text)}
    return {((page.parent / unquote(link.path)).resolve() if link.path else page, unquote(link.fragment))
            for link in found if not link.scheme and not link.netloc}


def broken_links(site: Path) -> list[str]:
    "What leads nowhere: a file that is not there, or an anchor that its page lacks."
    texts = {page.resolve(): page.read_text(encoding="utf-8") for page in sorted(site.rglob("*.html"))}
    anchors = {page: set(map(html.unescape, re.findall(r'\bid="([^"]+)"', text))) for page, text in texts.items()}
    return [f"{page.relative_to(site.resolve())}: leads nowhere: {os.path.relpath(file, site)}#{anchor}"
            for page, text in texts.items() for file, anchor in sorted(links(page, text))
            if not file.exists() or anchor and file in anchors and anchor not in anchors[file]]


# --- what is wrong with a page

def visit(tab: Browser, page: Path) -> list[str]:
    "What is wrong with one page."
    tab.show(page.resolve().as_uri())
    found = tab.js(LOOK)
    return sorted({*tab.problems(NOBODY), *found})


def visit_all(tab: Browser, site: Path) -> list[str]:
    "What is wrong with any page, and with the search."
    pages = sorted(site.rglob("*.html"))
    wrong = [f"{page.relative_to(site)}: {what}" for page in pages for what in visit(tab, page)]
    tab.show((site / "search.html").resolve().as_uri() + "?q=speckle")
    count = "new Promise(done => setTimeout(() => done(document.querySelectorAll('#search-results li').length), 3000))"
    return wrong if tab.js(count) else [*wrong, "search.html: finds nothing for speckle"]


# --- pictures to look at

def picture(tab: Browser, page: Path, target: Path, width: int, theme: str):
    "A picture of a whole page, or of its first 6,000 px."
    tab.resize(width, 900)
    tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    tab.show(page.resolve().as_uri())
    tall = min(int(tab.js("document.documentElement.scrollHeight")), 6000)
    tab.resize(width, tall)
    target.write_bytes(base64.b64decode(tab.call("Page.captureScreenshot", format="png")["data"]))


def pictures(tab: Browser, site: Path, folder: Path, pages: list[str]):
    "Light, dark and narrow pictures of pages."
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages:
        for name, width, theme in (("light", 1300, "light"), ("dark", 1300, "dark"), ("phone", 390, "light")):
            stem = page.removesuffix(".html").replace("/", ".")
            picture(tab, site / page, folder / f"{stem}.{name}.png", width, theme)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="*", help="pages to take pictures of, such as index.html")
    parser.add_argument("--site", type=Path, default=SITE, help="the folder of the site")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="take pictures instead")
    asked = parser.parse_args()
    program = chromium()
    if not program:
        sys.exit("site: install chromium to have the pages looked at")
    with browsing(program, SIZE, hidden=not asked.pictures) as tab:
        if asked.pictures:
            return pictures(tab, asked.site, asked.pictures, asked.pages)
        wrong = broken_links(asked.site) + visit_all(tab, asked.site)
    if wrong:
        sys.exit("\n".join([*wrong, f"site: {len(wrong)} things are wrong"]))
    print(f"site: {len(list(asked.site.rglob('*.html')))} pages are as they should be")


if __name__ == "__main__":
    main()
