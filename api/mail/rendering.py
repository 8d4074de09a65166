"""Templates to the two parts of a mail: plain text, and HTML with its styles inline."""

from typing import Any

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

_environment = Environment(
    loader=PackageLoader("api.mail"),
    # Of the text part nothing is interpreted, so nothing is escaped.
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)


def render(template: str, **values: Any) -> tuple[str, str]:
    """Return the text and the HTML of a template, which is a file of each."""
    text = _environment.get_template(f"{template}.txt").render(**values)
    html = _environment.get_template(f"{template}.html").render(**values)
    return text, _inliner.inline(html)


def render_page(template: str, **values: Any) -> str:
    """Return the HTML of a template for browsers."""
    return _environment.get_template(f"{template}.html").render(**values)
