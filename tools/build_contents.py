"""Write the lists of notebooks from nbs/rooms.yml and the first lines of the notebooks, and of names from __init__.pyi.

    python tools/build_contents.py            writes nbs/contents.ipynb, nbs/api.ipynb, nbs/ROOM/index.ipynb and
                                              nbs/sidebar.yml
    python tools/build_contents.py --check    only compare; exit status 1 when one differs
"""
import ast
import json
import re
import sys
from pathlib import Path

import nbformat
import yaml
from check_rooms import exporting

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "nbs"


def rooms() -> list[dict]:
    "The entries of nbs/rooms.yml; a folder with notebooks that it does not list is an error."
    listed = yaml.safe_load((NOTEBOOKS / "rooms.yml").read_text(encoding="utf-8"))
    folders = {str(n.parent.relative_to(NOTEBOOKS)) for n in NOTEBOOKS.rglob("*.ipynb")
               if not any(part[0] in "._" for part in n.relative_to(NOTEBOOKS).parts)} - {"."}
    names = {r["room"] for r in listed}
    if folders != names:
        sys.exit(f"nbs/rooms.yml lacks {sorted(folders - names)} and lists {sorted(names - folders)}")
    return listed


def notebooks(room: str) -> list[Path]:
    "The notebooks of a room in reading order, without its first page."
    return sorted(n for n in (NOTEBOOKS / room).glob("*.ipynb") if n.name != "index.ipynb")


def first_lines(path: Path) -> tuple[str, str]:
    "The title and the one-line description of a notebook."
    source = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    found = re.match(r"# (.+)\n+> (.+)", source)
    if not found:
        sys.exit(f"{path.relative_to(ROOT)}: the first cell is `# Title` and `> one line`, found {source[:60]!r}")
    return found[1].strip(), found[2].strip()


def ended(title: str) -> str:
    "A title with a full stop, unless it is a question."
    return title if title.endswith("?") else f"{title}."


def listing(room: str, prefix: str = "") -> str:
    "A Markdown list of the notebooks of a room; `prefix` is the way to its folder."
    lines = [(path, *first_lines(path)) for path in notebooks(room)]
    return "\n".join(f"* [{path.stem}]({prefix}{path.name}): **{ended(title)}** {text}" for path, title, text in lines)


def first_page(room: dict):
    "The notebook that a reader meets first in a folder."
    head = f"# {room['title']}\n\n> {room['question']}"
    return notebook([head, room["text"].strip(), listing(room["room"])])


def contents(listed: list[dict]):
    "The page that lists all notebooks."
    parts = ["# Contents\n\n> Every notebook, by room, in reading order"]
    for room in listed:
        folder = f"{room['room']}/"
        parts.append(f"## [{room['title']}]({folder}index.ipynb): {room['question']}\n\n"
                     + listing(room["room"], folder))
    return notebook(parts)


def first_sentence(module: str, name: str) -> str:
    "The first line of the docstring of a function or class of the library."
    path = ROOT.joinpath("sar_ssl", *module.split(".")).with_suffix(".py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            text = (ast.get_docstring(node) or "").partition("\n")[0]
            return text or sys.exit(f"sar_ssl.{module}.{name} has no docstring")
    sys.exit(f"sar_ssl/__init__.pyi lists {name}, which {path.relative_to(ROOT)} does not define")


def stable_names(listed: list[dict]):
    "The page that lists the stable names of the package, by room."
    homes = {module: path.relative_to(NOTEBOOKS) for module, path in exporting().items()}
    parts, rows = ["# Stable names\n\n> What `import sar_ssl` gives, by room"], {}
    names = ast.parse((ROOT / "sar_ssl" / "__init__.pyi").read_text(encoding="utf-8")).body
    for node in (node for node in names if isinstance(node, ast.ImportFrom)):
        home = homes[node.module]
        rows.setdefault(str(home.parent), []).extend((a.name, home, first_sentence(node.module, a.name))
                                                     for a in node.names)
    parts.append("These names change only with a deprecation of one minor version; everything else may change at any "
                 "time. They are\nimported when they are first used: `import sar_ssl` itself costs milliseconds.")
    for room in listed:
        lines = [f"* [`{name}`]({home}): {text}" for name, home, text in rows.get(room["room"], [])]
        parts += [f"## {room['title']}\n\n" + "\n".join(lines)] if lines else []
    return notebook(parts)


def notebook(parts: list[str]) -> str:
    "A notebook of Markdown cells as text."
    cells = [nbformat.v4.new_markdown_cell(part, id=f"cell-{n}") for n, part in enumerate(parts)]
    python = {"kernelspec": {"display_name": "python3", "language": "python", "name": "python3"}}
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=python), indent=1) + "\n"


def sidebar(listed: list[dict]) -> str:
    "nbs/sidebar.yml, which Quarto and tools/build_docs.py read."
    groups = [{"section": r["title"], "contents": [f"{r['room']}/index.ipynb",
                                                   *(str(n.relative_to(NOTEBOOKS)) for n in notebooks(r["room"]))]}
              for r in listed]
    tree = {"website": {"sidebar": {"contents": ["index.ipynb", "contents.ipynb", "api.ipynb", *groups]}}}
    return yaml.safe_dump(tree, sort_keys=False, width=120)


def pages() -> dict[Path, str]:
    "File -> text of all that is generated."
    listed = rooms()
    return {NOTEBOOKS / "sidebar.yml": sidebar(listed), NOTEBOOKS / "contents.ipynb": contents(listed),
            NOTEBOOKS / "api.ipynb": stable_names(listed),
            **{NOTEBOOKS / r["room"] / "index.ipynb": first_page(r) for r in listed}}


def main():
    stale = {path: text for path, text in pages().items()
             if not path.exists() or path.read_text(encoding="utf-8") != text}
    if "--check" in sys.argv and stale:
        sys.exit("run `python tools/build_contents.py`: " + ", ".join(str(p.relative_to(ROOT)) for p in stale))
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
