"""The torchvision guard, tried in fresh interpreters: beside a matched pair, a broken one, and the installed one."""
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
# What stops a broken pair is a line like this one, which torchvision runs while it is imported.
NEEDS_OPERATOR = """
import torch
torch.library.register_fake("torchvision::nms")(lambda dets, scores, iou_threshold: dets)
"""
SAY = "; print('declared' if torchvision_guard.declared else 'left alone')"


def run(code, *folders):
    "Run `code` in a new Python that sees `folders` first and no `.pth` file."
    path = os.pathsep.join(map(str, [*folders, TOOLS, sysconfig.get_path("purelib")]))
    return subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"})


@contextmanager
def pretend_torchvision(source, extension=None):
    "A folder with a package named torchvision: `source` is its text, `extension(path)` writes its compiled part."
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "torchvision"
        package.mkdir()
        (package / "__init__.py").write_text(source)
        if extension:
            extension(package / "_C.so")
        yield folder


def not_loadable(path):
    path.write_bytes(b"no library")


def loadable(path):
    shutil.copy(importlib.util.find_spec("torch._C").origin, path)


def test_broken_pair_fails_without_the_guard():
    with pretend_torchvision(NEEDS_OPERATOR, not_loadable) as folder:
        result = run("import torchvision", folder)
    assert result.returncode == 1 and "torchvision::nms does not exist" in result.stderr, result.stderr


def test_broken_pair_imports_with_the_guard():
    with pretend_torchvision(NEEDS_OPERATOR, not_loadable) as folder:
        result = run("import torchvision_guard, torchvision" + SAY, folder)
    assert result.stdout.strip() == "declared", result.stderr


def test_declared_operator_refuses_to_run():
    call = "; import torch; torch.ops.torchvision.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)"
    with pretend_torchvision("", not_loadable) as folder:
        result = run("import torchvision_guard, torchvision" + call, folder)
    assert result.returncode == 1 and "NotImplementedError" in result.stderr, result.stderr


def test_matched_pair_is_left_alone():
    ask = "; import torch; assert not hasattr(torch.ops.torchvision, 'nms')"
    with pretend_torchvision("", loadable) as folder:
        result = run("import torchvision_guard, torchvision" + ask + SAY, folder)
    assert result.stdout.strip() == "left alone", result.stderr


def test_guard_goes_where_the_import_fails_and_says_so():
    import torchvision_guard as guard

    outer = os.environ.get("PYTHONPATH", "")
    for source, needed in [("", False), ("raise RuntimeError('operator torchvision::nms does not exist')", True)]:
        with pretend_torchvision(source) as folder, tempfile.TemporaryDirectory() as packages:
            os.environ["PYTHONPATH"] = folder
            try:
                said = guard.guard_where_needed(Path(packages))
            finally:
                os.environ["PYTHONPATH"] = outer
            assert (Path(packages) / guard.NAMES[1]).exists() is needed, said
            assert ("does not import" in said) is needed and ("nms" in said) is needed, said


def test_looking_for_torchvision_does_not_import_torch():
    look = "import sys, importlib.util, torchvision_guard; importlib.util.find_spec('torchvision')"
    result = run(look + "; print('torch' in sys.modules)")
    assert result.stdout.strip() == "False", result.stderr


def test_installed_environment_imports_timm():
    result = subprocess.run([sys.executable, "-c", "import timm, torchvision.transforms.v2; print('ok')"],
                            capture_output=True, text=True)
    assert result.stdout.strip() == "ok", result.stderr
