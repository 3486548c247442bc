"""Check the rooms of the house: imports run down nbs/rooms.yml, and within a room from later notebooks to earlier ones.

    python tools/check_rooms.py

Prints every offence and every circle and exits with 1 if there is one. A notebook that needs a later one of its room
says why in a Markdown line that starts with `Needs a later notebook, NAME:`.
"""
import ast
import json
import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS, LIBRARY = ROOT / "nbs", ROOT / "sar_ssl"


def rooms() -> list[str]:
    "The rooms that export modules, in reading order."
    return [r["room"] for r in yaml.safe_load((NOTEBOOKS / "rooms.yml").read_text()) if r.get("exports", True)]


def exporting() -> dict[str, Path]:
    "Module -> the notebook that exports it, in reading order of the files."
    found = {}
    for path in sorted(NOTEBOOKS.rglob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            named = re.search(r"^#\| *default_exp +(\S+)", "".join(cell["source"]), re.M)
            if named:
                found[named[1]] = path
    return found


def imported(module: str) -> set[str]:
    "The modules of the library that `module` imports, in whatever place of its code."
    path = LIBRARY.joinpath(*module.split(".")).with_suffix(".py")
    found, here = set(), ["sar_ssl", *module.split(".")[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = here[:len(here) - node.level + 1] if node.level else []
            name = ".".join([*base, *(node.module.split(".") if node.module else [])])
            found |= {name} | {f"{name}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
    return {name.removeprefix("sar_ssl.") for name in found if name.startswith("sar_ssl.")}


def excused(notebook: Path) -> set[str]:
    "Later notebooks that this one says it needs, and why."
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return set(re.findall(r"^Needs a later notebook, `?\[?([\w./]+?)`?\]?[(:]", text, re.M))


def offences() -> list[str]:
    "A line for each import that runs up the list of rooms, or forward in a room, without a reason; and each circle."
    order, homes = rooms(), exporting()
    graph = {module: imported(module) & set(homes) - {module} for module in homes}
    own = {module: path.relative_to(NOTEBOOKS) for module, path in homes.items()}
    place = {module: (order.index(str(path.parent)), path.name) for module, path in own.items()}
    found = [f"sar_ssl.{a} ({own[a]}) imports sar_ssl.{b} ({own[b]}), which comes later"
             for a in homes for b in sorted(graph[a])
             if place[b] > place[a] and not (place[a][0] == place[b][0] and homes[b].stem in excused(homes[a]))]
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        found.append("circle: " + " -> ".join(error.args[1]))
    return found


def main():
    found = offences()
    print("\n".join(found))
    sys.exit(f"{len(found)} offences against nbs/rooms.yml" if found else 0)


if __name__ == "__main__":
    main()
