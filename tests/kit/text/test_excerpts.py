"""Excerpts of rendered texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.kit.text.excerpts import MAX_EXCERPT, make_excerpt
from api.kit.text.markup import parse
from api.kit.text.traced_markdown import MarkupTooLargeError


@pytest.mark.parametrize(
    ("source", "excerpt"),
    [
        ("", ""),
        ("They *fit*.", "They fit."),
        ("# Title\n\nOne\ntwo  \nthree", "Title One two three"),
        ("- a\n- b", "a b"),
        ("1 < 2 & \"3\" > '4' <b>", "1 < 2 & \"3\" > '4' <b>"),
        ('[a](https://e.org "x > y")b', "ab"),
        ("word " * 100, "word " * 55 + "word\u2026"),
        ("\u5b57" * 400, "\u5b57" * (MAX_EXCERPT - 1) + "\u2026"),
        ("x" * 280, "x" * 280),
        ("x" * 281, "x" * 279 + "\u2026"),
    ],
)
def test_excerpts(source: str, excerpt: str) -> None:
    assert make_excerpt(parse(source).render()) == excerpt


@given(st.text(st.sampled_from("ab *_`#>-[](\"')<&;\n"), max_size=3_000), st.integers(1, 4))
def test_an_excerpt_is_one_bounded_line(source: str, times: int) -> None:
    try:
        rendered = parse(source * times).render()
    except MarkupTooLargeError:
        return
    excerpt = make_excerpt(rendered)
    assert len(excerpt) <= MAX_EXCERPT
    assert excerpt == " ".join(excerpt.split())


def test_a_cut_leaves_no_markup() -> None:
    for length in range(3_950, 4_010):
        rendered = f"<p>{'<em></em>' * ((length - 3) // 9)}{'x' * (length % 9)}&amp;</p><p>b</p>"
        assert "<" not in make_excerpt(rendered)
