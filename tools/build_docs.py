"""Build the site from the notebooks, without Quarto and without a network.

    python tools/build_docs.py            writes _docs/index.html and the pages beside it

nbdev prepares the pages: it drops hidden cells, documents every exported name and links names in back-ticks. No cell
is run: signatures come from the exported modules, all imported once, and outputs are those saved in the notebooks.
Sphinx draws the pages, in two processes, with myst-nb and furo. The order is nbs/sidebar.yml, which Quarto reads too.
Stops when notebooks and sidebar disagree, when a visible cell imports and computes, on any warning of Sphinx, and when
a page would load something from another host.
"""
import ast
import base64
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
from build_contents import first_lines
from check_rooms import exporting, imported
from execnb.nbio import read_nb, write_nb
from fastcore.basics import AttrDict
from nbdev.config import get_config
from nbdev.process import Processor
from nbdev.processors import FilterDefaults, _default_exp, exec_show_docs
from nbdev.showdoc import show_doc

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS, PREPARED, SITE = ROOT / "nbs", ROOT / "_proc", ROOT / "_docs"
DOCUMENTS = ("CONTRIBUTING", "CHANGELOG")  # files of the project that are pages, too
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


def pages_below(groups: list[tuple[str, list[str]]]) -> dict[str, list[str]]:
    "Page -> pages that fold below it: below the home page its rooms, below a room its notebooks and the rooms in it."
    below = {"index": []}
    for first, *others in ([page_name(name) for name in names] for _, names in groups):
        around = first.rsplit("/", 2)[0] + "/index"  # data/simulation/index -> data/index
        if first != "index":
            below[around if around in below else "index"].append(first)
            below[first] = others
    below["index"][2:2] = ["gallery", *map(str.lower, DOCUMENTS)]  # after the lists of notebooks and names
    return below


def toctree(pages: list[str], caption: str = "") -> str:
    "A hidden table of contents."
    head = f":caption: {caption}\n" if caption else ""
    return f"```{{toctree}}\n:hidden:\n{head}\n" + "\n".join(f"/{page}" for page in pages) + "\n```"


def append(page: str, text: str):
    "Put a Markdown cell at the end of a page."
    nb = nbformat.read(PAGES / f"{page}.ipynb", as_version=4)
    nb.cells.append(nbformat.v4.new_markdown_cell(text))
    nbformat.write(nb, PAGES / f"{page}.ipynb")


def add_toctrees(below: dict[str, list[str]]):
    "Give every page that has others below it its table of contents; on the home page rooms have a heading."
    for page, names in below.items():
        rooms = [name for name in names if page == "index" and name.endswith("/index")]
        lists = [toctree([name for name in names if name not in rooms]), toctree(rooms, "Rooms")]
        text = "\n\n".join(one for one, listed in zip(lists, (set(names) - set(rooms), rooms)) if listed)
        if text:
            append(page, text)


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
    text = re.sub(r"\[(\[`[\w.]+`\]\(#[\w.]+\))\]\([\w./]+\.ipynb\)", r"\1", text)  # nbdev links what was a link before
    text = re.sub(rf"\]\([./]*({'|'.join(DOCUMENTS)})\.md", lambda m: f"](/{m[1].lower()}.md", text)
    return re.sub(r"\]\(([\w./]+\.ipynb)", lambda m: "](" + page_name(m[1]) + ".ipynb", text)


@cache
def symbol_link(name: str) -> str:
    "A name as a link to what documents it, if it is exported."
    return nbdev.doclinks.NbdevLookup().linkify(f"`{name}`")


def linked_signature(text: str) -> str:
    "Nobody can follow links in a block of code: the names stay there, linked in a line below it, as are its types."
    block = re.search(r"^```python\n(?:def|class) (\w+)(.*?)^```\n", text, re.M | re.S)
    if not block:
        return text
    types = re.findall(r"\b[A-Z]\w+", re.sub("#.*", "", block[2]))
    links = [*map(symbol_link, types), *re.findall(r"\[`[\w.]+`\]\([^)\s]+\)", block[0])]
    told = dict.fromkeys(link for link in links if "](" in link and not link.startswith(f"[`{block[1]}`"))
    plain = re.sub(r"\[(`[\w.]+`)\]\([^)\s]+\)", r"\1", block[0])
    return text.replace(block[0], plain + (f"\nSee {', '.join(told)}.\n" if told else ""))


def documented(cell, page: str, labels: set[str]):
    "The markdown cell for a `show_doc` cell: label, heading, signature, description. `labels` are those the page has."
    text = "".join(o["data"]["text/markdown"] for o in cell.outputs if "text/markdown" in o.get("data", {}))
    text = re.sub(r"```python\ndef \w+\(\n    \*args, \*\*kwargs\n\):\n```\n", "", text)  # says nothing
    text = re.sub(r"```python\ndef (?=[A-Z])", "```python\nclass ", text.removeprefix("---\n\n"))
    text = linked_signature(text)
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
        tags = cell.metadata.get("tags", [])
        if "readme" in tags:  # what only README.md needs
            continue
        if "gallery" in tags:
            cell.source = with_thumbnails(cell.source, notebook)
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


# --- figures as thumbnails

def figures(notebook: str) -> list[tuple[str, bytes]]:
    "Suffix and bytes of the pictures that a notebook keeps among its outputs."
    cells = nbformat.read(NOTEBOOKS / notebook, as_version=4).cells
    shown = [output.data for cell in cells for output in cell.get("outputs", []) if "data" in output]
    kinds = {"image/png": "png", "image/jpeg": "jpg"}
    return [(kinds[kind], base64.b64decode(data[kind])) for data in shown for kind in kinds if kind in data]


@cache
def thumbnail(notebook: str) -> str | None:
    "The figure that stands for a notebook, as a file for the pages; None where it shows none."
    found = figures(notebook)
    if not found:
        return None
    suffix, data = max(found, key=lambda figure: len(figure[1]))  # the one with most to see
    name = f"thumbnails/{page_name(notebook).replace('/', '.')}.{suffix}"
    (PAGES / name).parent.mkdir(exist_ok=True)
    (PAGES / name).write_bytes(data)
    return f"/{name}"


def with_thumbnails(text: str, page: str) -> str:
    "A Markdown list of links to notebooks, each with the picture of its notebook before its name."
    def pictured(link):
        notebook = os.path.normpath(Path(page).parent / link[2])
        if not thumbnail(notebook):
            stop(f"nbs/{page} has {notebook} in its gallery, which shows no figure")
        return f"* [![]({thumbnail(notebook)}) {link[1]}]({link[2]})"

    return re.sub(r"^\* \[([^]]+)\]\(([\w./]+\.ipynb)\)", pictured, text, flags=re.M)


def gallery(groups: list[tuple[str, list[str]]]):
    "The page with a figure of every notebook that shows one, by room."
    text = "# Gallery\n\n*A figure of every notebook that shows one; a click leads to the page that draws it*\n"
    for caption, names in groups:
        shown = [name for name in names if caption and thumbnail(name)]
        lines = "\n".join(f"* [{first_lines(NOTEBOOKS / name)[0]}]({name})" for name in shown)
        text += f"\n## {caption}\n\n{with_thumbnails(lines, 'gallery')}\n" if shown else ""
    text = re.sub(r"\]\(([\w./]+\.ipynb)", lambda m: "](" + page_name(m[1]) + ".ipynb", text)
    (PAGES / "gallery.md").write_text(text, encoding="utf-8")


# --- the site

def cross_references(homes: dict[str, Path]):
    "Tell at the end of a module's page which notebooks import it."
    page = {module: page_name(str(path.relative_to(NOTEBOOKS))) for module, path in homes.items()}
    users = {module: [] for module in homes}
    for module in homes:
        for other in sorted(imported(module) & set(homes) - {module}):
            users[other].append(f"[](/{page[module]}.ipynb)")
    for module, links in users.items():
        if links:
            append(page[module], f"---\n\nImported by {', '.join(links)}.")


def source_pages(homes: dict[str, Path]):
    "A page with the code of every exported module, where the links named source lead."
    (PAGES / "source").mkdir()
    for module, notebook in homes.items():
        file = ROOT.joinpath("sar_ssl", *module.split(".")).with_suffix(".py")
        include = f"```{{literalinclude}} {os.path.relpath(file, PAGES / 'source')}\n:language: python\n```\n"
        home = f"Exported from [](/{page_name(str(notebook.relative_to(NOTEBOOKS)))}.ipynb)."
        text = f"---\norphan: true\n---\n# Source of `sar_ssl.{module}`\n\n{home}\n\n{include}"
        (PAGES / "source" / f"sar_ssl.{module}.md").write_text(text, encoding="utf-8")


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
    gallery(groups)
    for name in DOCUMENTS:
        shutil.copy(ROOT / f"{name}.md", PAGES / f"{name.lower()}.md")
    link_methods_to_classes(labels)
    cross_references(homes := exporting())
    add_toctrees(pages_below(groups))
    source_pages(homes)
    shutil.copytree(NOTEBOOKS / "images", PAGES / "images")


def sidebar_once(app, below: dict[str, list[str]]):
    "The contents beside a page: Sphinx and furo would make them for every page, but only links and marks differ."
    from furo.navigation import get_navigation_tree
    from sphinx.environment.adapters.toctree import global_toctree_for_doc

    above = {page: owner for owner, names in below.items() for page in names}

    @cache
    def contents() -> str:  # as the first page shows it
        tree = global_toctree_for_doc(app.env, "index", app.builder, tags=app.tags, collapse=False, titles_only=True,
                                      maxdepth=-1, includehidden=True)
        return get_navigation_tree(app.builder.render_partial(tree)["fragment"])

    def marked(text: str, page: str, classes: str) -> str:  # and unfolded, where there is something below it
        link = rf'<li class="([^"]*)"><a class="reference internal" href="{re.escape(page)}\.html">(.*?</a>)(<input )?'
        return re.sub(link, lambda m: f'<li class="{m[1]} {classes}"><a class="current reference internal" '
                      f'href="{page}.html">{m[2]}{m[3] + "checked " if m[3] else ""}', text)

    def beside(page: str) -> str:
        text, one = marked(contents(), page, "current current-page"), page
        while (one := above.get(one, "index")) != "index":
            text = marked(text, one, "current")
        return re.sub(r'href="(?!#)', f'href="{"../" * page.count("/")}', text)

    def without(app, page, template, context, doctree):
        if "toctree" in context:
            context["toctree"] = lambda **options: ""

    def replace(app, page, template, context, doctree):
        context["furo_navigation_tree"] = beside(page)

    app.connect("html-page-context", without, priority=400)  # before furo's, which has 500
    app.connect("html-page-context", replace, priority=600)


def sphinx(config, below: dict[str, list[str]]) -> int:
    "Draw the pages; return Sphinx's exit status. Any warning is an error."
    from sphinx.application import Sphinx

    # a page that is read from a disk may not read others: results of a search have no excerpts there
    excerpts = 'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false'
    settings = dict(
        project=config.title, version=config.version, release=config.version, copyright=config.copyright,
        extensions=["myst_nb", "mathml"], nb_execution_mode="off", nb_render_text_lexer="none",
        myst_enable_extensions=["dollarmath", "amsmath", "attrs_inline"],
        html_theme="furo", html_title=f"{config.title} {config.version}", html_math_renderer="mathml",
        suppress_warnings=["myst.header", "mystnb.unknown_mime_type"], html_copy_source=False, html_show_sphinx=False,
        html_static_path=[str(NOTEBOOKS / "styles.css")], html_css_files=["styles.css"],
        html_js_files=[(None, {"body": excerpts})])
    app = Sphinx(PAGES, None, PREPARED / "html", PREPARED / "doctrees", "html", settings, status=None,
                 warningiserror=True, parallel=2)
    sidebar_once(app, below)
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
    if sphinx(get_config(), pages_below(groups)):
        stop("Sphinx warned, see above")
    check_no_network(PREPARED / "html")
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.move(PREPARED / "html", SITE)
    print(f"docs: {len(list(SITE.rglob('*.html')))} pages, open {SITE.relative_to(ROOT)}/index.html")


if __name__ == "__main__":
    main()
