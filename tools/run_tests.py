"""Run every notebook as a test, and the tests of these tools; end with counts.

    python tools/run_tests.py                     everything, in two processes
    python tools/run_tests.py nbs/data            some notebooks or folders
    python tools/run_tests.py --flags slow        also the cells marked `#| slow`

Each notebook runs the way `nbdev_test` runs it, in a process of its own. A line per test gives the verdict and the
seconds; lines a notebook prints with the word SKIPPED are repeated below it; a failure shows its traceback. The last
line is `N passed, N failed`, and the exit status is 1 when something failed.
"""
import argparse
import ast
import os
import runpy
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 900  # a notebook that takes longer hangs


def notebooks(folder: Path) -> list[Path]:
    "The notebooks below `folder` that nbdev would test, in reading order."
    found = sorted(folder.rglob("*.ipynb"))
    return [n for n in found if not any(part[0] in "_." for part in n.relative_to(folder).parts)
            and not (n.parent / ".notest").exists()]


def tool_tests() -> list[str]:
    "`FILE::FUNCTION` of each test function in tools/test_*.py."
    found = []
    for file in sorted((ROOT / "tools").glob("test_*.py")):
        functions = [node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)]
        found += [f"{file.relative_to(ROOT)}::{name}" for name in functions if name.startswith("test_")]
    return found


def select(paths: list[str]) -> list[str]:
    "The tests that `paths` name; all of them without `paths`."
    chosen = [] if paths else tool_tests()
    for path in paths or [ROOT / "nbs"]:
        files = notebooks(Path(path)) if Path(path).is_dir() else [path]
        chosen += [os.path.relpath(file, ROOT) for file in files]
    return chosen


def same_examples() -> None:
    "Let hypothesis draw the same examples in every run, and never fail for the time that one takes."
    from hypothesis import HealthCheck, settings

    settings.register_profile("same", derandomize=True, deadline=None, database=None,
                              suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("same")


def run_notebook(path: Path, flags: list[str]) -> bool:
    "Run one notebook as nbdev does; print what it says about skipped parts."
    import nbdev.test
    from nbdev.config import get_config

    same_examples()

    class Shell(nbdev.test.CaptureShell):
        "nbdev's shell, with plain figures, and with an ear for SKIPPED."

        def __init__(self, path):
            super().__init__(path, mpl_format="png")

        def run(self, code, **options):
            outputs = super().run(code, **options)
            said = "".join("".join(o["text"]) for o in outputs if o["output_type"] == "stream")
            for line in said.splitlines():
                if "SKIPPED" in line:
                    print(line)
            return outputs

    nbdev.test.CaptureShell = Shell
    config = get_config()
    passed, _ = nbdev.test.test_nb(path, config.tst_flags.split(), flags, basepath=config.config_path)
    return passed


def run_one(name: str, flags: list[str]) -> bool:
    "Run the test `name` in this process."
    os.chdir(ROOT)
    if "::" in name:
        file, function = name.split("::")
        runpy.run_path(file)[function]()
        return True
    return run_notebook(ROOT / name, flags)


def start(name: str, flags: str):
    "Run the test `name` in a new process -> name, passed, seconds, what it printed."
    began = time.time()
    command = [sys.executable, __file__, "--one", name, "--flags", flags]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S)
        passed, said = done.returncode == 0, done.stdout
        said += "" if done.returncode in (0, 1) else f"ended with status {done.returncode}\n"
    except subprocess.TimeoutExpired as error:
        passed, said = False, f"{(error.stdout or b'').decode()}\nstopped after {LIMIT_S} s\n"
    return name, passed, time.time() - began, said


def report(name: str, passed: bool, seconds: float, said: str) -> bool:
    "Print one test's line and what a reader must see of its output; return the verdict."
    print(f"{'passed' if passed else 'FAILED'} {seconds:6.1f} s  {name}", flush=True)
    for line in said.splitlines():
        if not passed or "SKIPPED" in line:
            print(f"       {line}", flush=True)
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help="notebooks or folders; default: everything")
    parser.add_argument("--flags", default="", help="cell flags to run although they are normally skipped")
    parser.add_argument("--workers", type=int, default=2, help="tests at the same time")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        sys.exit(not run_one(options.one, options.flags.split()))
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # several processes share the cores
    with ThreadPoolExecutor(options.workers) as pool:
        jobs = [pool.submit(start, name, options.flags) for name in select(options.paths)]
        results = [report(*job.result()) for job in as_completed(jobs)]
    print(f"\n{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
