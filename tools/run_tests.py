"""Run every notebook as a test, and the tests of these tools; end with counts.

    python tools/run_tests.py                     everything, in two processes
    python tools/run_tests.py nbs/data            some notebooks or folders
    python tools/run_tests.py --flags slow        also the cells marked `#| slow`

Each notebook runs the way `nbdev_test` runs it, in a process of its own: a fork of this one, which has imported the
heavy libraries where there are many tests, and has done nothing with them. A line per test gives the verdict, the
seconds and the seconds of processor time; lines a notebook prints with the word SKIPPED are repeated below it; a
failure shows its traceback. The last line is `N passed, N failed`, and the exit status is 1 when something failed.
"""
import argparse
import ast
import atexit
import gc
import os
import runpy
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import IO, NoReturn

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 900  # a notebook that takes longer hangs
POLL_S = 0.05
HEAVY = """accelerate dask.array holoviews hypothesis matplotlib.pyplot nbdev.test pandas panel papermill pyproj
    rasterio.warp scipy.stats sklearn.ensemble sklearn.linear_model timm torch torchvision xarray zarr"""


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
    if "::" in name:
        file, function = name.split("::")
        runpy.run_path(file)[function]()
        return True
    return run_notebook(ROOT / name, flags)


def import_heavy() -> None:
    "Import what most notebooks import, once for all forks; nothing is computed, so there are no threads to lose."
    bars = os.environ.get("TQDM_DISABLE")
    os.environ["TQDM_DISABLE"] = "1"  # read at import: notebooks that switch progress bars off come too late
    for library in HEAVY.split():
        import_module(library)
    os.environ.pop("TQDM_DISABLE")
    os.environ.update({} if bars is None else {"TQDM_DISABLE": bars})
    gc.freeze()  # no fork looks through a million imported objects for garbage, or copies their pages to do so


@dataclass
class Test:
    "A test that runs, in process `number`, and what it says so far."
    name: str
    number: int
    said: IO[bytes]
    began: float = field(default_factory=time.monotonic)
    stopped: bool = False

    def stop_late(self) -> None:
        "Kill it when it has used up its time."
        if time.monotonic() - self.began > LIMIT_S and not self.stopped:
            os.kill(self.number, signal.SIGKILL)
            self.stopped = True


def start(name: str, flags: list[str]) -> Test:
    "Run the test `name` in a fork of this process; only the parent returns."
    said = tempfile.TemporaryFile()
    sys.stdout.flush()
    number = os.fork()
    if number:
        return Test(name, number, said)
    os.dup2(said.fileno(), 1)
    os.dup2(said.fileno(), 2)
    end(name, flags)


def end(name: str, flags: list[str]) -> NoReturn:
    "Run the test `name`, and end this fork without taking the imported libraries apart, which takes seconds."
    passed = False
    try:
        passed = run_one(name, flags)
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()  # remove temporary folders, end processes
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(not passed)


def report(test: Test, status: int, cpu_s: float) -> bool:
    "Print the line of a test that ended, and what a reader must see of its output; return the verdict."
    code, seconds = os.waitstatus_to_exitcode(status), time.monotonic() - test.began
    print(f"{'FAILED' if code else 'passed'} {seconds:6.1f} s {cpu_s:6.1f} s cpu  {test.name}", flush=True)
    test.said.seek(0)
    said = test.said.read().decode(errors="replace").splitlines()
    if test.stopped or code not in (0, 1):
        said.append(f"stopped after {LIMIT_S} s" if test.stopped else f"ended with status {code}")
    for line in said:
        if code or "SKIPPED" in line:
            print(f"       {line}", flush=True)
    return code == 0


def run_all(names: list[str], flags: list[str], workers: int) -> Iterator[bool]:
    "The verdicts of the tests, as they end; `workers` run at the same time."
    waiting, running = names[::-1], {}
    while waiting or running:
        if waiting and len(running) < workers:
            test = start(waiting.pop(), flags)
            running[test.number] = test
            continue
        number, status, used = os.wait4(-1, os.WNOHANG)
        if number:
            yield report(running.pop(number), status, used.ru_utime + used.ru_stime)
        else:
            time.sleep(POLL_S)
            for test in running.values():
                test.stop_late()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help="notebooks or folders; default: everything")
    parser.add_argument("--flags", default="", help="cell flags to run although they are normally skipped")
    parser.add_argument("--workers", type=int, default=2, help="tests at the same time")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # several processes share the cores
    names = select(options.paths)
    os.chdir(ROOT)
    if len(names) > options.workers:
        import_heavy()
    results = list(run_all(names, options.flags.split(), options.workers))
    print(f"\n{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
