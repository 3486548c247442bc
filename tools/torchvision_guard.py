"""Let torchvision import beside a CPU build of torch.

The package registry offers one torchvision per torch release, built for CUDA. Beside the plain CPU torch of the same
release its extension `_C` cannot load (the CUDA libraries are not there), so the operators `nms` and `qnms` do not
exist, and `import torchvision` stops with "operator torchvision::nms does not exist". timm imports torchvision, so it
stops too. Nothing here needs those two operators (they join detection boxes): it is enough to declare them.

`python tools/torchvision_guard.py`, a step of `make install`, first imports torchvision without the guard. Where that
works it leaves the environment alone (and takes an earlier guard away). Where it fails, it copies this file into
site-packages as `_torchvision_cpu.py` with a `.pth` line that imports it when Python starts, and says so. It costs a
millisecond, imports torch only when somebody imports torchvision, and declares nothing where the extension loads.
Box operators that are only declared still raise NotImplementedError when they are called.
"""
import sys
from importlib.machinery import PathFinder
from pathlib import Path

OPERATORS = ("nms", "qnms")  # the two that torchvision's Python side looks up while it is imported
declared = None  # keeps the declaration alive; None: nothing had to be declared


def extension_loads(package: Path) -> bool:
    "Whether the compiled part of torchvision in the folder `package` loads (true where there is none)."
    import ctypes

    import torch  # noqa: F401  the extension needs torch's libraries in the process

    try:
        for library in [*package.glob("_C.so"), *package.glob("_C*.pyd")]:
            ctypes.CDLL(str(library))
    except OSError:
        return False
    return True


def declare_operators():
    "Declare torchvision's box operators without an implementation."
    global declared
    import torch

    declared = torch.library.Library("torchvision", "FRAGMENT")
    for operator in OPERATORS:
        declared.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


class TorchvisionFinder:
    "Import hook: before the first line of torchvision runs, declare what its extension could not."

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "torchvision":
            return None
        spec = PathFinder.find_spec(name)
        if spec is None or spec.origin is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module):
            if declared is None and not extension_loads(Path(spec.origin).parent):
                declare_operators()
            run(module)

        spec.loader.exec_module = exec_module
        return spec


NAMES = ("_torchvision_cpu.py", "_torchvision_cpu.pth")


def install(site_packages: Path):
    "Copy this file and the line that starts it into `site_packages`."
    (site_packages / NAMES[0]).write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    (site_packages / NAMES[1]).write_text("import _torchvision_cpu\n", encoding="utf-8")


def guard_where_needed(site_packages: Path) -> str:
    "Install the guard if torchvision cannot be imported without it; returns a line that says what was done."
    import subprocess

    for name in NAMES:
        (site_packages / name).unlink(missing_ok=True)
    tried = subprocess.run([sys.executable, "-c", "import torchvision"], capture_output=True, text=True)
    if tried.returncode == 0:
        return "torchvision imports by itself: no guard is needed"
    reason = (tried.stderr.strip().splitlines() or ["no message"])[-1]
    install(site_packages)
    return f"torchvision does not import beside this torch ({reason}): put {' and '.join(NAMES)} into {site_packages}"


if __name__ == "__main__":
    import sysconfig

    print(guard_where_needed(Path(sysconfig.get_path("purelib"))))
else:
    sys.meta_path.insert(0, TorchvisionFinder)
