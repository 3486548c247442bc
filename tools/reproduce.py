"""Run notebooks again, and compare every number that they print with the one in the repository.

    python tools/reproduce.py                            all of nbs/tutorials and nbs/results
    python tools/reproduce.py nbs/results/42_recipe.ipynb --tolerance 0.001

Nothing is written. A number agrees when it is within `--tolerance` of the printed one (a share of it), or within one
unit of its last printed digit; numbers in words, units and paths are left alone. A cell that prints more or fewer
numbers than before agrees in none of them. Figures are counted, not compared. What takes hours is not run: those pages
read the files of finished studies, and name the study. The last line is the share that agrees; exit status 1 when a
number differs, a notebook fails, or nothing was compared.
"""
import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import run_tests

SHOWN = 10  # of what differs in a notebook
FOLDERS = ("nbs/tutorials", "nbs/results")
NUMBER = re.compile(r"(?<![\w./])(?>[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][-+]?\d{1,3})?)(?![\w/])")


def printed(outputs: Sequence[dict]) -> list[str]:
    "The numbers in the text of a cell's outputs, as printed."
    texts = ["".join(part) for one in outputs if one.get("name") != "stderr"
             for part in (one.get("text", ""), one.get("data", {}).get("text/plain", ""))]
    return NUMBER.findall(re.sub(r"<[^<>]*>", "", "\n".join(texts)))  # no sizes of figures, no addresses of objects


def agree(before: str, now: str, tolerance: float) -> bool:
    "Whether two printed numbers are the same within the tolerance, or one unit of the last digit of the first."
    first, second = (float(text.replace(",", "")) for text in (before, now))
    mantissa, _, power = before.lower().partition("e")
    digit = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    whole = "." not in mantissa and not power
    return abs(first - second) <= max(tolerance * abs(first), 0 if whole else 1.001 * digit)


@dataclass
class Compared:
    "What a run of a notebook gave again."

    values: int = 0  # that are printed
    same: int = 0  # of them
    figures: int = 0
    said: tuple[str, ...] = ()  # of what differs


def compare(before: Sequence[dict], now: Sequence[dict], tolerance: float) -> Compared:
    "The cells of a notebook as they are kept, and after a run."
    found = Compared()
    for number, (old, new) in enumerate(zip(before, now, strict=True)):
        first, second = (printed(cell.get("outputs", ())) for cell in (old, new))
        pairs = list(zip(first, second)) if len(first) == len(second) else []
        wrong = [f"{a} is {b} now" for a, b in pairs if not agree(a, b, tolerance)]
        found.values += len(first)
        found.same += len(pairs) - len(wrong)
        if first and not pairs: wrong = [f"{len(first)} numbers, and {len(second)} now"]
        found.figures += sum("image/png" in one.get("data", {}) for one in new.get("outputs", ()))
        found.said += tuple(f"cell {number}: {one}" for one in wrong)
    return found


def one_notebook(path: Path, tolerance: float) -> bool:
    "Run a notebook, and print what agrees; False when it fails."
    from execnb.nbio import read_nb
    from fill_outputs import executed

    before, now = read_nb(path), executed(path)
    if now is None: return False
    found = compare(before.cells, now.cells, tolerance)
    for line in found.said[:SHOWN]: print(f"    {line}")
    if (more := len(found.said) - SHOWN) > 0: print(f"    and {more} more")
    print(f"{found.same} of {found.values} values agree, {found.figures} figures")
    return True


def answers(names: Sequence[str], tolerance: float) -> Iterator[tuple[int, int, bool]]:
    "Of each notebook, run by itself: values that agree, all values, and whether it ended."
    for name in names:
        began = time.monotonic()
        words = [sys.executable, __file__, "--one", str(run_tests.ROOT / name), "--tolerance", str(tolerance)]
        done = subprocess.run(words, capture_output=True, text=True)
        *rest, last = done.stdout.splitlines() or [""]
        told = re.fullmatch(r"(\d+) of (\d+) values agree, \d+ figures", last) if done.returncode == 0 else None
        print(f"{name} ({time.monotonic() - began:.0f} s): {last if told else 'failed'}", flush=True)
        print(*[line for line in rest if told is None or line.startswith("    ")], sep="\n", end="\n" if rest else "")
        yield (int(told[1]), int(told[2]), True) if told else (0, 0, False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help=f"notebooks or folders; default: {' and '.join(FOLDERS)}")
    parser.add_argument("--tolerance", type=float, default=0.01, help="share by which a number may differ, 0.01")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        os.environ["IN_TEST"] = "1"
        sys.exit(not one_notebook(Path(options.one), options.tolerance))
    names = run_tests.select(options.paths or [str(run_tests.ROOT / folder) for folder in FOLDERS])
    found = list(answers(names, options.tolerance))
    same, values = sum(one[0] for one in found), sum(one[1] for one in found)
    failed = sum(not one[2] for one in found)
    share = f"{same / values:.1%}" if values else "nothing"
    print(f"\n{same} of {values} printed values of {len(names)} notebooks agree ({share}); {failed} notebooks failed")
    sys.exit(bool(failed or same < values or not values))


if __name__ == "__main__":
    main()
