"""Run notebooks as nbdev does, store what they show, and clean them: how outputs get into the repository.

    python tools/fill_outputs.py nbs/data/00_radiometry.ipynb nbs/models

Cells that `nbdev_test` skips (`#| eval: false`, `#| slow`, ...) are skipped here too and keep the outputs they have. A
notebook that fails is left as it was. Exit status 1 when one failed.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

import run_tests


def skipped(cell, flags: list[str]) -> bool:
    "Whether nbdev would not run this cell."
    marks = "|".join([r"eval:\s*false", *map(re.escape, flags)])
    return cell.cell_type != "code" or bool(re.search(rf"^#\|\s*({marks})\s*$", cell.source, re.M))


def executed(path: Path):
    "The notebook at `path` after a run, with its outputs; None when a cell failed, whose error is printed."
    from execnb.nbio import read_nb
    from execnb.shell import CaptureShell
    from nbdev.config import get_config

    run_tests.same_examples()
    config, notebook = get_config(), read_nb(path)
    sys.path.insert(0, str(config.config_path))
    os.chdir(path.parent)
    shell, flags = CaptureShell(path, mpl_format="png"), config.tst_flags.split()
    for cell in notebook.cells:
        if not skipped(cell, flags):
            cell.outputs = []
    shell.run_all(notebook, exc_stop=True, preproc=lambda cell: skipped(cell, flags))
    if shell.exc:
        print(shell.prettytb(fname=path))
        return None
    for cell in notebook.cells:  # progress bars and warnings are not results, and differ from run to run
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return notebook


def fill(path: Path) -> bool:
    "Run the notebook at `path` and write it back with its outputs, cleaned; False when a cell failed."
    from execnb.nbio import write_nb
    from nbdev.clean import nbdev_clean

    if (notebook := executed(path)) is None:
        return False
    write_nb(notebook, path)
    nbdev_clean.__wrapped__(fname=path)
    return True


def main():
    if sys.argv[1:2] == ["--one"]:
        os.environ["IN_TEST"] = "1"
        sys.exit(not fill(Path(sys.argv[2])))
    if len(sys.argv) == 1:
        sys.exit(__doc__)
    failed = 0
    for name in run_tests.select(sys.argv[1:]):
        status = subprocess.call([sys.executable, __file__, "--one", str(run_tests.ROOT / name)])
        size = (run_tests.ROOT / name).stat().st_size // 1024
        print(f"{'failed' if status else 'filled'} {name}, {size} KB", flush=True)
        failed += bool(status)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
