"""Build the site from the notebooks, without Quarto and without a network.

    python tools/build_docs.py            writes _docs/index.html and the pages beside it

nbdev prepares the pages: it drops hidden cells, documents every exported name and links names in back-ticks. No cell
is run: signatures come from the exported modules, all imported once, and outputs are those saved in the notebooks.
Sphinx draws the pages, in two processes, with myst-nb and furo. The order is nbs/sidebar.yml, which Quarto reads too.
Stops when notebooks and sidebar disagree, when a visible cell imports and computes, on any warning of Sphinx, and when
a page would load something from another host.
"""
import ast
import os
import re
import shutil
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import nbdev.doclinks
import nbformat
import yaml
from execnb.nbio import read_nb, write_nb
from fastcore.basics import AttrDict
from nbdev.config import get_config
from nbdev.process import Processor
from nbdev.processors import FilterDefaults, _default_exp, exec_show_docs
from nbdev.showdoc import show_doc

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS, PREPARED, SITE = ROOT / "nbs", ROOT / "_proc", ROOT / "_docs"
PAGES = PREPARED / "_pages"  # what Sphinx reads


def stop(message: str):
    "End the build with `message`."
    sys.exit(f"docs: {message}")


# --- the order of pages

def sidebar() -> list[tuple[str, list[str]]]:
    "Caption and notebooks of each group of nbs/sidebar.yml; an entry outside a group has the caption ''."
    entries = yaml.safe_load((NOTEBOOKS / "sidebar.yml").read_text())["website"]["sidebar"]["contents"]
    return [("", [e]) if isinstance(e, str) else (e["section"], e["contents"]) for e in entries]


def check_sidebar(groups: list[tuple[str, list[str]]]):
    "Stop unless the sidebar lists exactly the notebooks there are."
    listed = {name for _, names in groups for name in names}
    found = {str(n.relative_to(NOTEBOOKS)) for n in NOTEBOOKS.rglob("*.ipynb")
             if not any(part[0] in "._" for part in n.relative_to(NOTEBOOKS).parts)}
    if listed != found:
        stop(f"nbs/sidebar.yml lacks {sorted(found - listed)} and lists {sorted(listed - found)}, which do not exist")


def mixes_imports(source: str) -> bool:
    "Whether a visible cell imports and computes: `nbdev_docs` would run all of it, without the cells before it."
    if re.search(r"^(#\| *(export|hide)|%|!)", source, re.M):
        return False
    kinds = {isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.parse(source).body}
    return kinds == {True, False}


def check_imports(names: list[str]):
    "Stop unless imports have cells of their own."
    for name in names:
        for number, cell in enumerate(nbformat.read(NOTEBOOKS / name, as_version=4).cells):
            if cell.cell_type == "code" and mixes_imports(cell.source):
                stop(f"nbs/{name}, cell {number}: give the imports a cell of their own\n{cell.source}")


def page_name(notebook: str) -> str:
    "`data/11_store.ipynb` -> `data/store`: the address nbdev links to."
    folder, _, name = notebook.removesuffix(".ipynb").rpartition("/")
    return "/".join(filter(None, [folder, re.sub(r"^\d+[a-z]*_", "", name)]))


def toctrees(groups: list[tuple[str, list[str]]]) -> str:
    "A hidden table of contents per group."
    pages = [(caption, "\n".join(page_name(n) for n in names if n != "index.ipynb")) for caption, names in groups]
    head = [(f":caption: {caption}\n" if caption else "", names) for caption, names in pages if names]
    return "\n\n".join(f"```{{toctree}}\n:hidden:\n{caption}\n{names}\n```" for caption, names in head)


# --- one notebook

class ShowExports(Processor):
    "nbdev's step that documents exported names, without running cells: it takes them from the exported module."
    def begin(self):
        module = _default_exp(self.nb)
        self.names = dict(vars(import_module(f"sar_ssl.{module}")), show_doc=show_doc) if module else {}

    def cell(self, cell):
        if cell.cell_type == "code" and "show_doc(" in cell.source:
            call = "\n".join(line for line in cell.source.splitlines() if not line.startswith("#|"))
            text = eval(call, self.names)._repr_markdown_().splitlines(keepends=True)
            data = AttrDict({"text/markdown": text})
            cell.outputs = [AttrDict(output_type="display_data", metadata={}, data=data)]


class PageSteps(FilterDefaults):
    "nbdev's steps from a notebook to a page, with `ShowExports` in the place of the step that runs cells."
    def base_procs(self):
        return [ShowExports if step is exec_show_docs else step for step in super().base_procs()]


def prepare_notebook(notebook: str):
    "Let nbdev prepare one notebook."
    nb, target = read_nb(NOTEBOOKS / notebook), PREPARED / notebook
    PageSteps()(nb)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_nb(nb, target)


def label(address: str) -> str:
    "`data/store.html#write_store` -> `data.store.write_store`, unique in the site."
    return address.lower().replace(".html#", ".").replace("/", ".")


def local_links(text: str, base: str, code: str) -> str:
    "Turn nbdev's absolute links to symbols and to source code, and links to notebooks, into links inside the site."
    source = rf"\[source\]\({re.escape(code)}/([\w/]+)\.py[^)]*\)(\{{[^}}]*\}})?"
    text = re.sub(source, lambda m: f"[source](project:/source/{m[1].replace('/', '.')}.md){{.source}}", text)
    text = re.sub(rf"{re.escape(base)}/([\w/]+\.html#[\w.]+)", lambda m: "#" + label(m[1]), text)
    return re.sub(r"\]\(([\w./]+\.ipynb)", lambda m: "](" + page_name(m[1]) + ".ipynb", text)


def documented(cell, page: str, labels: set[str]):
    "The markdown cell for a `show_doc` cell: label, heading, signature, description. `labels` are those the page has."
    text = "".join(o["data"]["text/markdown"] for o in cell.outputs if "text/markdown" in o.get("data", {}))
    text = re.sub(r"```python\ndef \w+\(\n    \*args, \*\*kwargs\n\):\n```\n", "", text)  # says nothing
    text = re.sub(r"```python\ndef (?=[A-Z])", "```python\nclass ", text.removeprefix("---\n\n"))
    name = re.search(r"^### (\S+)$", text, re.M)
    if not name:
        stop(f"{page}: no documentation came of the cell {cell.source!r}")
    source, rest, target = text[:name.start()].strip(), text[name.end():], label(f"{page}.html#{name[1]}")
    anchor = "" if target in labels else f"({target})=\n"  # names that differ in case share a link: the first has it
    labels.add(target)
    return nbformat.v4.new_markdown_cell(f"{anchor}### {name[1]}\n\n{source}\n{rest}")


def code_cell(cell):
    "A code cell without nbdev's and Quarto's `#|` lines; those that hide the code become tags that myst-nb knows."
    tags = set(cell.metadata.get("tags", []))
    if "#| echo: false" in cell.source:
        tags.add("remove-input")
    if "#| code-fold" in cell.source:
        tags.add("hide-input")
    source = "\n".join(line for line in cell.source.splitlines() if not line.startswith("#|"))
    return nbformat.v4.new_code_cell(source, outputs=cell.outputs, metadata={"tags": sorted(tags)})


def title(front_matter: str):
    "The heading cell of a page, from the front matter that nbdev made of the first cell."
    about = yaml.safe_load(front_matter.strip().strip("-"))
    return nbformat.v4.new_markdown_cell(f"# {about['title']}\n\n*{about.get('description', '')}*")


def convert(notebook: str, base: str, code: str) -> set[str]:
    "Write the page of one prepared notebook; returns the labels it has."
    page, cells, labels = page_name(notebook), [], set()
    for cell in nbformat.read(PREPARED / notebook, as_version=4).cells:
        if cell.cell_type == "raw":
            cells.append(title(cell.source))
        elif cell.cell_type == "code":
            cells.append(documented(cell, page, labels) if "show_doc(" in cell.source else code_cell(cell))
        elif not cell.source.startswith((":::", "<!-- WARNING")):
            cells.append(nbformat.v4.new_markdown_cell(cell.source))
        if cells and cells[-1].cell_type == "markdown":
            cells[-1].source = local_links(cells[-1].source, base, code)
    python = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
    target = PAGES / f"{page}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=python), target)
    return labels


def link_methods_to_classes(labels: set[str]):
    "A method that stands in its class has no label: links to it lead to the class."
    def known(link):
        name, owner = link[1], link[1].rpartition(".")[0]
        return f"](#{owner})" if name not in labels and owner in labels else link[0]

    for page in PAGES.rglob("*.ipynb"):
        text = page.read_text(encoding="utf-8")
        page.write_text(re.sub(r"\]\(#([\w.]+)\)", known, text), encoding="utf-8")


# --- the site

def source_pages(library: Path):
    "A page with the code of every exported module, where the links named source lead."
    (PAGES / "source").mkdir()
    for file in sorted(library.rglob("[!_]*.py")):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        include = f"```{{literalinclude}} {os.path.relpath(file, PAGES / 'source')}\n:language: python\n```\n"
        (PAGES / "source" / f"{module}.md").write_text(f"---\norphan: true\n---\n# Source of `{module}`\n\n{include}")


def prepare(groups: list[tuple[str, list[str]]]):
    "Fill the folder that Sphinx reads."
    config = get_config()
    nbdev.doclinks._build_modidx()
    shutil.rmtree(PREPARED, ignore_errors=True)
    PAGES.mkdir(parents=True)
    labels, code = set(), f"{config.git_url}/blob/{config.branch}"
    for notebook in (name for _, names in groups for name in names):
        prepare_notebook(notebook)
        labels |= convert(notebook, config.doc_host + config.doc_baseurl, code)
    link_methods_to_classes(labels)
    home = nbformat.read(PAGES / "index.ipynb", as_version=4)
    home.cells.append(nbformat.v4.new_markdown_cell(toctrees(groups)))
    nbformat.write(home, PAGES / "index.ipynb")
    source_pages(config.lib_path)
    shutil.copytree(NOTEBOOKS / "images", PAGES / "images")


def resolve_contents_once(app):
    "The table of contents beside a page: Sphinx would resolve it for every page, but only links and the mark differ."
    from sphinx.environment.adapters.toctree import global_toctree_for_doc

    @cache
    def contents() -> str:  # as the first page shows it
        tree = global_toctree_for_doc(app.env, "index", app.builder, tags=app.tags, collapse=False, titles_only=True,
                                      maxdepth=-1, includehidden=True)
        return app.builder.render_partial(tree)["fragment"]

    def beside(page: str) -> str:
        mark = rf'<li class="(toctree-l\d)"><a class="(reference internal)" href="{re.escape(page)}\.html">'
        text = re.sub(mark, r'<li class="\1 current"><a class="current \2" href="#">', contents())
        return re.sub(r'href="(?!#)', f'href="{"../" * page.count("/")}', text)

    def replace(app, page, template, context, doctree):
        if "toctree" in context:
            context["toctree"] = lambda **options: beside(page)

    app.connect("html-page-context", replace, priority=400)  # before furo's, which has 500


def sphinx(title: str) -> int:
    "Draw the pages; return Sphinx's exit status. Any warning is an error."
    from sphinx.application import Sphinx

    settings = dict(
        project=title, extensions=["myst_nb", "mathml"], nb_execution_mode="off", nb_render_text_lexer="none",
        myst_enable_extensions=["dollarmath", "amsmath", "attrs_inline"],
        html_theme="furo", html_title=title, html_math_renderer="mathml",
        suppress_warnings=["myst.header", "mystnb.unknown_mime_type"], html_copy_source=False, html_show_sphinx=False,
        html_static_path=[str(NOTEBOOKS / "styles.css")], html_css_files=["styles.css"])
    app = Sphinx(PAGES, None, PREPARED / "html", PREPARED / "doctrees", "html", settings, status=None,
                 warningiserror=True, parallel=2)
    resolve_contents_once(app)
    app.build(force_all=True)
    return app.statuscode


def check_no_network(site: Path):
    "Stop when a page loads a script, style, image or frame from another host."
    host = r"[\"']?(?:https?:)?//[^\"')>]+"
    loads = {"*.html": rf"<(?:script|img|iframe|source|link(?=[^>]*stylesheet))\b[^>]*?(?:src|href)={host}",
             "*.css": rf"url\({host}|@import {host}"}
    remote = {f"{file.relative_to(site)}: {found}" for kind, pattern in loads.items() for file in site.rglob(kind)
              for found in re.findall(pattern, file.read_text(encoding="utf-8"))}
    if remote:
        stop("these load something from another host:\n" + "\n".join(sorted(remote)))


def main():
    os.chdir(ROOT)
    groups = sidebar()
    check_sidebar(groups)
    check_imports([name for _, names in groups for name in names])
    prepare(groups)
    if sphinx("sar_ssl"):
        stop("Sphinx warned, see above")
    check_no_network(PREPARED / "html")
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.move(PREPARED / "html", SITE)
    print(f"docs: {len(list(SITE.rglob('*.html')))} pages, open {SITE.relative_to(ROOT)}/index.html")


if __name__ == "__main__":
    main()
