"""Visit every page of the built site in one headless Chromium, as a reader would who has no network.

    python tools/check_site.py                              look at _docs; exit status 1 and a list of what is wrong
    python tools/check_site.py --pictures FOLDER PAGE...    pictures of these pages: light, dark, and on a phone

Wrong is: a link inside the site that leads nowhere, an error on the console, a picture that is missing, a request to
another host, a block of code that scrolls sideways at 1,300 px, and a search that finds nothing. Chromium is driven by
its DevTools protocol through two pipes.
"""
import argparse
import base64
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

SITE = Path(__file__).resolve().parent.parent / "_docs"
FLAGS = ("--headless --remote-debugging-pipe --no-sandbox --disable-gpu --in-process-gpu --no-first-run --disable-sync "
         "--hide-scrollbars --disable-background-networking --disable-component-update --disable-extensions "
         "--disable-back-forward-cache --disable-renderer-backgrounding --disable-background-timer-throttling").split()
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


# --- one browser, one tab

class Browser:
    "A tab of a headless Chromium, and what it had to complain of."
    def __init__(self, reads: int, writes: int):
        self.reads, self.writes, self.rest = reads, writes, b""  # numbers of open files; what came after a message
        self.number, self.session, self.events = 0, None, []

    def receive(self) -> dict:
        "The next message; events are kept."
        while b"\0" not in self.rest:
            more = os.read(self.reads, 1 << 16)
            if not more:
                sys.exit("site: the browser went away")
            self.rest += more
        text, _, self.rest = self.rest.partition(b"\0")
        message = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message

    def call(self, method: str, **parameters) -> dict:
        "Ask the browser for something, and wait for its answer."
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writes, json.dumps(message).encode() + b"\0")
        while (answer := self.receive()).get("id") != self.number:
            pass
        if "error" in answer:
            sys.exit(f"site: {method}: {answer['error']['message']}")
        return answer["result"]

    def show(self, url: str):
        "Open a page and wait until it and its pictures are loaded."
        self.events.clear()
        self.call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.receive()

    def value(self, script: str):
        "What a script gives in the page."
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")


@contextmanager
def browser(hidden: bool = True):
    "A tab in a Chromium of its own. A hidden one runs and lays out its pages but draws nothing: half the time."
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not program:
        sys.exit("site: install chromium to have the pages looked at")
    (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = ["bash", "-c", f'exec "$@" 3<&{their_in} 4>&{their_out}', "-", program, *FLAGS,
                   f"--user-data-dir={profile}"]
        process = subprocess.Popen(command, pass_fds=(their_in, their_out), stderr=subprocess.DEVNULL)
        os.close(their_in), os.close(their_out)
        tab = Browser(our_in, our_out)
        target = tab.call("Target.createTarget", url="about:blank", background=hidden)["targetId"]
        tab.session = tab.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.call(f"{domain}.enable")
        try:
            yield tab
        finally:
            process.terminate()
            process.wait()


def resize(tab: Browser, width: int, height: int):
    "Give the window a size in pixels."
    tab.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)


# --- what is wrong with a page

def complaint(event: dict) -> str | None:
    "What an event of the browser says is wrong."
    about = event["params"]
    match event["method"]:
        case "Runtime.exceptionThrown":
            return about["exceptionDetails"].get("exception", {}).get("description", "an exception")
        case "Runtime.consoleAPICalled" if about["type"] in ("error", "assert"):
            return f"console: {about['args'][0].get('value')}" if about["args"] else "console: an error"
        case "Log.entryAdded" if about["entry"]["level"] == "error":
            return f"{about['entry']['text']} {about['entry'].get('url', '')}"
        case "Network.requestWillBeSent" if urlsplit(about["request"]["url"]).scheme not in ("file", "data", "blob"):
            return f"asks another host: {about['request']['url']}"


def visit(tab: Browser, page: Path) -> list[str]:
    "What is wrong with one page."
    tab.show(page.resolve().as_uri())
    found = tab.value(LOOK)
    return sorted({*filter(None, map(complaint, tab.events)), *found})


def visit_all(tab: Browser, site: Path) -> list[str]:
    "What is wrong with any page, and with the search."
    resize(tab, 1300, 900)
    pages = sorted(site.rglob("*.html"))
    wrong = [f"{page.relative_to(site)}: {what}" for page in pages for what in visit(tab, page)]
    tab.show((site / "search.html").resolve().as_uri() + "?q=speckle")
    count = "new Promise(done => setTimeout(() => done(document.querySelectorAll('#search-results li').length), 3000))"
    return wrong if tab.value(count) else [*wrong, "search.html: finds nothing for speckle"]


# --- pictures to look at

def picture(tab: Browser, page: Path, target: Path, width: int, theme: str):
    "A picture of a whole page, or of its first 6,000 px."
    resize(tab, width, 900)
    tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    tab.show(page.resolve().as_uri())
    tall = min(int(tab.value("document.documentElement.scrollHeight")), 6000)
    resize(tab, width, tall)
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
    with browser(hidden=not asked.pictures) as tab:
        if asked.pictures:
            return pictures(tab, asked.site, asked.pictures, asked.pages)
        wrong = broken_links(asked.site) + visit_all(tab, asked.site)
    if wrong:
        sys.exit("\n".join([*wrong, f"site: {len(wrong)} things are wrong"]))
    print(f"site: {len(list(asked.site.rglob('*.html')))} pages are as they should be")


if __name__ == "__main__":
    main()
