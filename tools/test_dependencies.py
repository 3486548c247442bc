"""What is imported is asked for, what is asked for is pinned, and what is pinned is installed."""
import ast
import configparser
import json
import re
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INI = configparser.ConfigParser(delimiters=["="])
INI.read(ROOT / "settings.ini", encoding="utf-8")


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def required():
    "Canonical names in settings.ini."
    lists = ("requirements", "lab_requirements", "cluster_requirements", "dev_requirements")
    words = " ".join(INI["DEFAULT"][name] for name in lists).split()
    return {canonical(re.split(r"[<>=!~\[]", word)[0]) for word in words}


def pinned():
    "Canonical name -> version in constraints.txt."
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = (re.match(r"([\w.-]+)==([\w.]+)\s+# \w", line) for line in lines if line and not line.startswith("#"))
    return {canonical(pin[1]): pin[2] for pin in pins}


def modules_of(source):
    "Top-level names of the modules that Python source imports."
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]


def imported():
    "Top-level names of all modules that notebooks and tools import."
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tools").glob("*.py")]
    for path in (ROOT / "nbs").rglob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources += ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    plain = (re.sub(r"^\s*[%!].*$", "", source, flags=re.M) for source in sources)
    return {module for source in plain for module in modules_of(source)}


def test_imports_are_required():
    own = {path.stem for path in (ROOT / "tools").glob("*.py")} | {"sar_ssl"} | sys.stdlib_module_names
    distributions, asked = packages_distributions(), required()
    missing = {m for m in imported() - own if not asked & {canonical(d) for d in distributions.get(m, [m])}}
    assert not missing, f"imported but not in settings.ini: {sorted(missing)}"


def test_requirements_are_pinned_with_a_reason():
    assert required() == set(pinned()), f"only on one side: {sorted(required() ^ set(pinned()))}"


def test_pins_are_what_is_installed():
    wrong = {name: version(name) for name, pin in pinned().items() if version(name).split("+")[0] != pin}
    assert not wrong, f"not as constraints.txt says: {wrong}"
