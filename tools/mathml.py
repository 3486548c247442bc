"""Sphinx extension: formulas as MathML, which browsers draw themselves, so pages need no JavaScript and no network."""
import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.errors import ExtensionError


def to_mathml(latex: str, display: str) -> str:
    'MathML of a formula; `display` is "inline" or "block". Refuses an unknown command, which it would only copy.'
    if r"\\" in latex and r"\begin" not in latex:
        latex = rf"\begin{{align*}}{latex}\end{{align*}}"
    mathml = convert(re.sub(r"\{(aligned|split)\}", "{align*}", latex), display=display)
    unknown = re.findall(r"\\[a-zA-Z]+|<mi>&</mi>", mathml)
    if unknown:
        raise ExtensionError(f"cannot typeset {', '.join(unknown)} in the formula {latex}")
    return mathml


def visit_inline(writer, node):
    writer.body.append(to_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_block(writer, node):
    writer.body.append(writer.starttag(node, "div", CLASS="formula") + to_mathml(node.astext(), "block") + "</div>\n")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", inline_renderers=(visit_inline, None), block_renderers=(visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
