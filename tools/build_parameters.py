"""Write the cell of parameters of each experiment notebook from the dataclass that declares its options.

    python tools/build_parameters.py            writes the cells tagged `parameters` in nbs/experiments
    python tools/build_parameters.py --check    only compare; exit status 1 when one differs
"""
import json
import sys
from pathlib import Path

from sar_ssl.runs.options import parameters_source
from sar_ssl.runs.parameters import CONFIGS, config_class

NOTEBOOKS = Path(__file__).resolve().parent.parent / "nbs" / "experiments"


def written(path: Path, source: str) -> str:
    "The text of a notebook whose cell tagged `parameters` has this source."
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", [])]
    if len(cells) != 1:
        sys.exit(f"{path.name}: found {len(cells)} cells tagged 'parameters', expected one; tag the one with defaults")
    if "".join(cells[0]["source"]) != source:
        cells[0]["source"] = source.splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def stale() -> dict[Path, str]:
    "The notebooks whose cell is not what the dataclass gives, with the text that they should have."
    texts = {NOTEBOOKS / f"{name}.ipynb": parameters_source(config_class(name)) for name in CONFIGS}
    pages = {path: written(path, source) for path, source in texts.items()}
    return {path: text for path, text in pages.items() if path.read_text(encoding="utf-8") != text}


def main():
    found = stale()
    if "--check" in sys.argv and found:
        sys.exit("run `python tools/build_parameters.py`; options are edited in their dataclass, not in these cells: "
                 + ", ".join(path.name for path in found))
    for path, text in found.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
