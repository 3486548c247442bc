"""The tools that decide must be able to say no."""
import ast
import json
import re
import subprocess
import sys
import tempfile
from contextlib import chdir, contextmanager
from pathlib import Path

import nbformat

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))


@contextmanager
def notebook(*cells):
    "The path of a temporary notebook with these code cells."
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "00_try.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells]), path)
        yield path


def run(tool, path):
    return subprocess.run([sys.executable, TOOLS / tool, path], capture_output=True, text=True)


def test_runner_counts_a_failure_and_shows_it():
    with notebook("x = 1", "assert x == 2, 'x is not two'") as path:
        result = run("run_tests.py", path)
    assert result.returncode == 1 and result.stdout.endswith("\n0 passed, 1 failed\n"), result.stdout
    assert "x is not two" in result.stdout and "AssertionError" in result.stdout


def test_runner_survives_a_notebook_that_kills_its_process():
    with notebook("import os", "os._exit(3)") as path:
        result = run("run_tests.py", path)
    assert result.returncode == 1 and "ended with status 3" in result.stdout, result.stdout


def test_runner_repeats_what_was_skipped_and_skips_flagged_cells():
    with notebook("print('SKIPPED: no real chips')", "#| slow\nassert False", "#| eval: false\nassert False") as path:
        result = run("run_tests.py", path)
    assert result.returncode == 0 and "SKIPPED: no real chips" in result.stdout, result.stdout
    assert result.stdout.endswith("\n1 passed, 0 failed\n")


def test_outputs_are_filled_and_a_failing_notebook_is_left_alone():
    with notebook("print(6 * 7)") as path:
        assert run("fill_outputs.py", path).returncode == 0
        assert nbformat.read(path, 4).cells[0].outputs[0].text == "42\n"
    with notebook("print(6 * 7)", "1 / 0") as path:
        before, result = path.read_text(), run("fill_outputs.py", path)
        assert result.returncode == 1 and path.read_text() == before, result.stdout


def test_numbers_agree_within_the_tolerance_or_the_last_digit():
    import reproduce

    text = "mIoU 0.209 at step 1,200 of run a1b2 in /tmp/x7 <Figure size 640x480>, 3e-05 and -4"
    assert reproduce.printed([dict(text=text)]) == ["0.209", "1,200", "3e-05", "-4"]
    assert reproduce.agree("0.209", "0.210", 0) and not reproduce.agree("0.209", "0.211", 0.001)
    assert reproduce.agree("1,200", "1,205", 0.01) and reproduce.agree("0", "0", 0)
    assert not reproduce.agree("4", "5", 0.01)
    assert reproduce.NUMBER.findall("1.5s 2.5 s, commit 0e80287") == ["2.5"]
    cells = [[dict(outputs=[dict(text=said)])] for said in ("1.00 2.00", "1.00 2.50", "1.00")]
    found = [reproduce.compare(cells[0], now, 0.01) for now in cells]
    assert [(one.same, one.values, len(one.said)) for one in found] == [(2, 2, 0), (1, 2, 1), (0, 2, 1)]


def test_a_notebook_that_prints_another_number_is_found():
    with notebook("print(1.5)", "print(2.5)") as path:
        run("fill_outputs.py", path)
        again = run("reproduce.py", path)
        assert again.returncode == 0 and "2 of 2 printed values of 1 notebooks agree (100.0%)" in again.stdout, again
        path.write_text(path.read_text().replace("print(2.5)", "print(2.9)"))
        changed = run("reproduce.py", path)
        assert changed.returncode == 1 and "2.5 is 2.9 now" in changed.stdout and "1 of 2" in changed.stdout, changed


def test_formulas_become_mathml_or_are_refused():
    from mathml import ExtensionError, to_mathml

    assert "<mfrac>" in to_mathml(r"\frac{a}{b}", "inline")
    assert to_mathml(r"a &= b \\ c &= d", "block").count("<mtr>") == 2
    assert to_mathml(r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "block").count("<mtr>") == 2
    try:
        to_mathml(r"\nosuchcommand x", "block")
    except ExtensionError as error:
        assert r"\nosuchcommand" in str(error)
    else:
        raise AssertionError("an unknown command was copied into the page")


def test_page_that_loads_from_another_host_is_refused():
    from build_docs import check_no_network

    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text('<a href="https://arxiv.org">a link is fine</a><script src="local.js"></script>')
        check_no_network(Path(folder))
        page.write_text('<script async src="https://cdn.example/x.js"></script>')
        try:
            check_no_network(Path(folder))
        except SystemExit as refusal:
            assert "cdn.example" in str(refusal)
        else:
            raise AssertionError("a script of another host went unseen")


def test_links_that_lead_nowhere_are_found():
    from check_site import broken_links

    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        (site / "room").mkdir()
        (site / "room" / "a b.html").write_text('<h1 id="top">a</h1><a href="../index.html#none">lost</a>')
        (site / "index.html").write_text('<a href="room/a%20b.html#top">right</a><a href="https://arxiv.org">outside</a>'
                                         '<img src="none.png"><a href="#">here</a>')
        assert broken_links(site) == ["index.html: leads nowhere: none.png#",
                                      "room/a b.html: leads nowhere: index.html#none"], broken_links(site)


def test_what_a_browser_complains_of_is_found():
    from check_site import SIZE, visit
    from sar_ssl.testing.browser import browsing, chromium

    if not (program := chromium()):
        return
    bad = {"error": "<script>undefined_name()</script>", "missing": '<img src="none.png">',
           "remote": '<script src="http://127.0.0.1:9/x.js"></script>', "wide": "<pre>" + "x" * 900 + "</pre>"}
    with tempfile.TemporaryDirectory() as folder, browsing(program, SIZE, hidden=True) as tab:
        for name, body in {"good": "<pre>x</pre>", **bad}.items():
            page = Path(folder) / f"{name}.html"
            page.write_text(f"<!doctype html><title>{name}</title>{body}")
            found = visit(tab, page)
            assert bool(found) == (name in bad), (name, found)


def test_readme_leaves_out_what_is_for_the_site():
    from build_readme import paragraph

    cell = nbformat.v4.new_markdown_cell("doors")
    assert paragraph(cell) == "doors"
    cell.metadata["tags"] = ["site"]
    assert paragraph(cell) == ""


def house(folder, name, imports):
    "A house of two rooms in `folder`: `a` comes before `b`; module `name` imports the module `imports`."
    root = Path(folder)
    (root / "nbs").mkdir()
    (root / "nbs" / "rooms.yml").write_text("- room: a\n- room: b\n")
    for module in ("a.one", "a.two", "b.three"):
        room, stem = module.split(".")
        code = f"from sar_ssl.{imports} import x\n" if module == name else ""
        file = root / "sar_ssl" / room / f"{stem}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code)
        cells = [{"cell_type": "code", "source": [f"#| default_exp {module}"]}]
        notebook = root / "nbs" / room / f"{['one', 'two', 'three'].index(stem)}0_{stem}.ipynb"
        notebook.parent.mkdir(exist_ok=True)
        notebook.write_text(json.dumps({"cells": cells}))
    return root


def test_imports_up_the_rooms_and_forward_in_a_room_are_offences():
    import check_rooms

    for name, imports, wrong in [("a.one", "b.three", 1), ("a.one", "a.two", 1), ("a.two", "a.one", 0),
                                 ("b.three", "a.two", 0)]:
        with tempfile.TemporaryDirectory() as folder:
            root = house(folder, name, imports)
            before = check_rooms.NOTEBOOKS, check_rooms.LIBRARY
            check_rooms.NOTEBOOKS, check_rooms.LIBRARY = root / "nbs", root / "sar_ssl"
            check_rooms.ROOT = root
            try:
                found = check_rooms.offences()
            finally:
                (check_rooms.NOTEBOOKS, check_rooms.LIBRARY), check_rooms.ROOT = before, before[0].parent
            assert len(found) == wrong, (name, imports, found)


def test_cells_of_parameters_that_were_edited_by_hand_are_stale():
    import build_parameters

    before = build_parameters.NOTEBOOKS
    assert build_parameters.stale() == {}
    with tempfile.TemporaryDirectory() as folder:
        for path in before.glob("[a-z]*.ipynb"):
            text = path.read_text(encoding="utf-8")
            (Path(folder) / path.name).write_text(text.replace("steps: int = 15", "steps: int = 16"), encoding="utf-8")
        try:
            build_parameters.NOTEBOOKS = Path(folder)
            assert sorted(path.stem for path in build_parameters.stale()) == ["scenes", "segment"]
        finally:
            build_parameters.NOTEBOOKS = before


def test_options_are_declared_without_pytorch():
    modules = "sar_ssl.pretraining.config, sar_ssl.downstream.configs, sar_ssl.runs.parameters"
    heavy = "[m for m in ('torch', 'timm', 'xarray', 'zarr') if m in sys.modules]"
    code = f"import sys, {modules}; sys.exit(str({heavy} or ''))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stderr.strip() == "", result.stderr


def test_stable_names_can_be_imported():
    import sar_ssl

    assert all(hasattr(sar_ssl, name) for name in sar_ssl.__all__) and "open_store" in sar_ssl.__all__


def parameters(function):
    "Names of a function's parameters, without `self`."
    taken = function.args
    names = [one.arg for one in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs)]
    return names[names[:1] in (["self"], ["cls"]):]


def crowded(folder, most=7):
    "Functions below a folder with more parameters than that, each with its number."
    files = sorted(Path(folder).rglob("*.py"))
    nodes = ((path, node) for path in files for node in ast.walk(ast.parse(path.read_text())))
    functions = ((path, node) for path, node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return [(path.name, node.name, len(parameters(node))) for path, node in functions if len(parameters(node)) > most]


def test_no_function_has_more_than_seven_parameters():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "try.py").write_text("def fits(a, b, c, d, e, f, g): pass\n"
                                          "class A:\n    def fits(self, a, b, c, d, e, f, *, g=1): pass\n"
                                          "    def crowded(self, a, b, c, d, e, f, g, *, h=1): pass\n")
        assert crowded(folder) == [("try.py", "crowded", 8)]
    assert crowded(TOOLS.parent / "sar_ssl") == [], "put what belongs together into a small dataclass"


def readme_blocks(language):
    "Code blocks of README.md in one language."
    return re.findall(rf"^```{language}\n(.*?)^```", (TOOLS.parent / "README.md").read_text(), re.DOTALL | re.MULTILINE)


@contextmanager
def demo_in_miniature():
    "A working folder with what `make demo` leaves: 24 chips of 32 px, and two steps of pre-training."
    from sar_ssl.data.simulation.sensors import simulate_store
    from sar_ssl.pretraining.config import PretrainConfig
    from sar_ssl.pretraining.loop import pretrain
    from sar_ssl.runs.run import open_run

    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        chips = "runs/demo/chips.zarr"
        simulate_store(chips, n=24, size=32, seed=0, workers=1)
        config = PretrainConfig(chips, model="test_vit", steps=2, batch_size=4, prototypes=16, hidden=16, small_crops=1)
        pretrain(config, open_run("runs/demo/dino", "pretrain", config))
        yield


def test_python_of_the_readme_runs_as_it_stands():
    import matplotlib

    matplotlib.use("agg")
    snippet, = readme_blocks("python")
    with demo_in_miniature():
        names = {}
        exec(compile(snippet, "README.md", "exec"), names)  # the block, and nothing but it
        assert Path("attention.png").stat().st_size > 1000
    assert names["features"].shape[0] == len(names["chips"]) and names["maps"].shape[0] == 4, names["maps"].shape


def test_runs_in_the_readme_have_such_parameters():
    from sar_ssl.runs.parameters import read_assignments, resolve

    lines = "".join(readme_blocks("bash")).splitlines()
    runs = [line.split() for line in lines if line.startswith("sar-ssl run")]
    assert {words[2] for words in runs} == {"pretrain", "segment", "attention"}, runs
    for _, _, name, *words in runs:
        given = [value for flag, value in zip(words, words[1:]) if flag == "-p"]
        assert given and resolve(name, read_assignments(name, given))
