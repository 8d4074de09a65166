from html.parser import HTMLParser
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.kit.text import markup
from api.kit.text.markup import MentionMark, parse
from api.kit.text.traced_markdown import MAX_URL, MarkupTooLargeError

PLAIN_TAGS = (
    *("p", "br", "hr", "em", "strong", "s", "blockquote", "pre", "li", "ul"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr"),
)
ALLOWED = {
    **{tag: set() for tag in PLAIN_TAGS},
    "a": {"href", "title", "rel"},
    "code": {"class"},
    "ol": {"start"},
    "span": {"class", "data-user-id"},
    "td": {"align"},
    "th": {"align"},
}
ANNA = UUID("0192f0c1-0000-7000-8000-00000000000a")

# All that means something in Markdown, and some that doesn't, a combining mark and a rocket too.
MARKDOWNISH = st.text(
    st.sampled_from("ab1@@ \n\t*_~`[]()<>!\\|#-+=.:&;/\"'") | st.sampled_from("é\u0301\U0001f680"),
    max_size=60,
)
FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *("@a", "a b", "**", "*", "_", "~~", "~", "`", "``", "[", "](", "]", ")", "<", ">"),
            *("http://e.org/", "&amp;", "&#64;", "\\", "|", "\n|", "\n|-|-|\n", "\n\n", "\n> "),
            *("\n- ", "\n1. ", "\n# ", "  \n", "    ", "\t", "\n===\n", "\n```", "\r\n"),
            *("\u00a0", "\U0001f680"),
        ]
    ),
    max_size=25,
).map("".join)
TEXTS = MARKDOWNISH | FRAGMENTS | st.text(max_size=40)


class Page(HTMLParser):
    """What a browser makes of rendered HTML: its elements, and the text of its mentions."""

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.mentions: list[str] = []
        self._in_mention = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "span":
            self._in_mention = True
            self.mentions.append("")

    def handle_endtag(self, tag):
        if tag == "span":
            self._in_mention = False

    def handle_data(self, data):
        self.text += data
        if self._in_mention:
            self.mentions[-1] += data

    def of(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def see_spans(source):
    document = parse(source)
    return [document.source[span.start : span.end] for span in document.spans]


def render(source):
    return parse(source).render()


def parse_or_skip(source):
    try:
        return parse(source)
    except MarkupTooLargeError:
        return parse("")


@pytest.mark.parametrize(
    ("source", "spans"),
    [
        ("", []),
        ("Hi @max!", ["Hi @max!"]),
        ("**@max**", ["@max"]),
        ("a ***@max* b** c", ["a ", "@max", " b", " c"]),
        ("~~@max~~", ["@max"]),
        ("~~a @max~~~ b", ["a @max", "~", " b"]),
        ("@J*R and snake_case_name", ["@J*R and snake_case_name"]),
        ("a \\@max b", ["a ", "max b"]),
        ("a &#64;max &amp; b", ["a ", "max ", " b"]),
        ("AC\\DC", ["AC\\DC"]),
        ("\\\\@max", ["@max"]),
        ("one\ntwo  \nthree\\\n   four", ["one", "two", "three", "four"]),
        ("one\r\ntwo\rthree", ["one", "two", "three"]),
        ("- @a\n\t- @b\n\n\t  @c\n1) @d", ["@a", "@b", "@c", "@d"]),
        ("-\t@a\n \tb", ["@a", "b"]),
        ("# @a #\n\n@b\n===\n", ["@a", "@b"]),
        ("#\t# @a # b #", ["# @a # b"]),
        ("| @a | b\\|c |\n|:-:|-|\n| \\@d | **@e** |\n@f | ", ["@a", "b", "|c", "d", "@e", "@f"]),
        ("||a|\n|-|-|\n||@b|", ["a", "@b"]),
        ("\u00a0\n@a\n\u00a0", ["@a"]),
        ("\U0001f680 *\U0001f680 @a* b", ["\U0001f680 ", "\U0001f680 @a", " b"]),
        ("`@a` b ``@c ` d`` e", [" b ", " e"]),
        ("`@a", ["`@a"]),
        ("```\n@a\n```\n    @b\n\nc\n\n    @d", ["c"]),
        ("[@a](http://e.org) <http://e.org/@b> http://e.org/@c d", [" ", " ", " d"]),
        ("[@a][x] [@x]\n\n[x]: http://e.org/@b", [" [@x]"]),
        ("[@a](/b)", ["[@a](/b)"]),
        ("![@a](http://e.org/b.png)", ["!"]),
        ("> @a\n@b\n> > @c\n\n@d", ["@d"]),
        ("- > @a\n- b", ["b"]),
        ("<b>@a</b> <!-- @b -->", ["<b>@a</b> <!-- @b -->"]),
        ("a\x00b\ud800c", ["a\ufffdb\ufffdc"]),
    ],
)
def test_spans_are_the_plain_text(source, spans):
    assert see_spans(source) == spans


@pytest.mark.parametrize(
    "surroundings",
    [
        "{}",
        "a {} b",
        "\U0001f680\r\n\r\n  {}",
        "> quoted\n\n{}",
        "- a\n  - b\n    1. c {}\n",
        "-\ta\n\n\t{} b",
        "1. a\n\n   *b **{}** c*",
        "### {} ###",
        "a\n{}\n---",
        "x | y\n--|--\na\\|b\\|c {} | d",
        "x | y\n--|--\na | `b` **{}**\\|",
        "- x | y\n  --|--\n  a | {}\n",
        "a  \nb\\\n  \t{}",
        "\\*a\\* &lt;{}&gt;",
        "[l](http://e.org 't') {} [m]\n\n[m]: http://e.org",
        "`a` https://e.org/x_y_ {}",
        "x ~~~a ~~b~~~ {}",
        "***a* b {}**",
    ],
)
def test_a_word_is_found_at_its_offset(surroundings):
    document = parse(surroundings.replace("{}", "@planted"))
    start = document.source.index("@planted")
    end = start + len("@planted")
    assert any(span.start <= start and end <= span.end for span in document.spans)
    page = Page(document.render([MentionMark(start, end, ANNA)]))
    assert page.mentions == ["@planted"]
    assert page.of("span") == [{"class": "mention", "data-user-id": str(ANNA)}]
    assert page.text == Page(document.render()).text


@pytest.mark.parametrize(
    ("source", "opening"),
    [
        ("a *b* c\nd\n\ne", ["a ", "e"]),
        ("**a** b", ["a"]),
        ("- a\n- `b` c", ["a"]),
        ("# a\n\n[b](http://e.org) c\n\n\\*d", ["a"]),
        ("|a|b|\n|-|-|\n|c d|e|", ["a", "b", "c d", "e"]),
    ],
)
def test_spans_know_whether_they_open_their_block(source, opening):
    document = parse(source)
    assert [document.source[s.start : s.end] for s in document.spans if s.opens] == opening


def test_source_is_what_the_offsets_refer_to():
    document = parse("a\r\nb\rc\x00\ud800")
    assert document.source == "a\nb\nc\ufffd\ufffd"
    assert parse(document.source) == document


@given(TEXTS)
@settings(max_examples=300, deadline=None)
@example("~~a~~~b")
@example("-\t>\t@a\n\t@b")
def test_spans_are_what_the_reader_sees(source):
    document = parse_or_skip(source)
    before = 0
    for span in document.spans:
        assert before <= span.start < span.end <= len(document.source)
        assert "\n" not in document.source[span.start : span.end]
        before = span.end
    marks = [MentionMark(span.start, span.end, ANNA) for span in document.spans]
    page = Page(document.render(marks))
    assert page.mentions == [document.source[mark.start : mark.end] for mark in marks]
    assert page.text == Page(document.render()).text


@given(TEXTS)
@settings(max_examples=300, deadline=None)
@example("[a](java\nscript:b) [c](<d e> 'f')")
@example("[](), [*a*]() [b](<>) [c](http://e.org) [d]: <>")
@example('```a b\nc\n```\n\n```"><b>\nd')
def test_output_holds_only_what_is_allowed(source):
    page = Page(parse_or_skip(source).render())
    for tag, attrs in page.elements:
        assert attrs.keys() <= ALLOWED[tag]
        assert tag != "span"
    for attrs in page.of("a"):
        assert attrs["href"].lower().startswith(("http://", "https://", "mailto:"))
        assert attrs["rel"] == "nofollow ugc noopener"


# Blocks in which `{}` is plain text, and blocks in which it isn't.
OPEN = ["{} a", "*a {}*", "- b {}", "# {}", "a\n{}", "1. c\n   {}", "|a|\n|-|\n|{}|", "\\[{}\\]"]
CLOSED = ["> {}", "`{}`", "```\n{}\n```", "    {}", "[{}](http://e.org)", "<http://e.org/{}>"]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=8))
@settings(max_examples=60, deadline=None)
def test_every_plain_word_is_in_a_span_and_no_other(choices):
    blocks = [
        (OPEN if is_open else CLOSED)[i].replace("{}", f"@w{n}")
        for n, (is_open, i) in enumerate(choices)
    ]
    # A comment between two blocks would be text; a rule keeps a list from taking in what follows.
    spans = " ".join(see_spans("\n\n***\n\n".join(blocks)))
    for n, (is_open, _) in enumerate(choices):
        assert (f"@w{n}" in spans) == is_open


def test_features_that_are_markup():
    html = render(
        "# T\n\na ~~b~~ **c** *d* `e<f`  \ng\n\n- h\n\n3. i\n\n---\n\n> j\n\n```py\nk\n```\n\n"
        'l|m\n-:|--\nn|o\n\n[p](http://e.org "q") http://e.org/r. <s@e.org>'
    )
    assert html == (
        "<h1>T</h1>\n<p>a <s>b</s> <strong>c</strong> <em>d</em> <code>e&lt;f</code><br>\ng</p>\n"
        '<ul>\n<li>h</li>\n</ul>\n<ol start="3">\n<li>i</li>\n</ol>\n<hr>\n'
        "<blockquote>\n<p>j</p>\n</blockquote>\n"
        '<pre><code class="language-py">k\n</code></pre>\n<table>\n<thead>\n<tr>\n'
        '<th align="right">l</th>\n<th>m</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n'
        '<td align="right">n</td>\n<td>o</td>\n</tr>\n</tbody>\n</table>\n'
        '<p><a href="http://e.org" title="q" rel="nofollow ugc noopener">p</a> '
        '<a href="http://e.org/r" rel="nofollow ugc noopener">http://e.org/r</a>. '
        '<a href="mailto:s@e.org" rel="nofollow ugc noopener">s@e.org</a></p>\n'
    )


@pytest.mark.parametrize(
    ("source", "links"),
    [
        ("e.org www.e.org lee@e.org //e.org mailto:lee@e.org ftp://e.org", []),
        ("HTTPS://e.org/a_b_c?d=e#f, g", ["HTTPS://e.org/a_b_c?d=e#f"]),
        ("**http://e.org** ~~http://e.org/a~~", ["http://e.org", "http://e.org/a"]),
        ("xhttp://e.org a-http://e.org http:// http://*", []),
        ("[http://e.org/a](http://e.org/b)", ["http://e.org/b"]),
        ("<http://e.org/a%20b>", ["http://e.org/a%20b"]),
        ("[a](javascript:b) [a](JAVASCRIPT:b) [a](vbscript:b) [a](data:image/png;b)", []),
        ("[a](/b) [a](b) [a](#b) [a](//e.org) [a](ftp://e.org) <ftp://e.org>", []),
        ("[a](&#106;avascript:b) [a](java&Tab;script:b) <javascript:b>", []),
        (f"http://e.org/{'a' * MAX_URL} <http://e.org/{'a' * MAX_URL}>", []),
    ],
)
def test_links(source, links):
    assert [attrs["href"] for attrs in Page(render(source)).of("a")] == links


def test_an_address_is_shown_as_it_is_written():
    assert (
        Page(render("<https://xn--80ak6aa92e.com/>")).text.strip() == "https://xn--80ak6aa92e.com/"
    )


@pytest.mark.parametrize(
    "source",
    [
        f'<span class="mention" data-user-id="{ANNA}">@anna</span>',
        f'<p><span class=mention data-user-id="{ANNA}">@anna</span>',
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "![a](http://e.org/pixel.png)",
        '[a](http://e.org"onclick="b) [a](http://e.org "\\"onclick=\\"b")',
        '```"onclick=b\nc\n```',
    ],
)
def test_markup_can_not_be_forged(source):
    page = Page(render(source))
    assert {tag for tag, _ in page.elements} <= {"p", "a", "pre", "code"}
    assert not any("onclick" in attrs or "class" in attrs for _, attrs in page.elements)


def test_mentions_are_marked_beside_each_other():
    document = parse("**<@a>**@b & @c")
    marks = [MentionMark(12, 14, ANNA), MentionMark(3, 5, ANNA), MentionMark(8, 10, ANNA)]
    page = Page(document.render(marks))
    assert page.mentions == ["@a", "@b", " @"]
    assert page.text == "<@a>@b & @c\n"


@pytest.mark.parametrize(
    "places",
    [[(1, 1)], [(4, 7)], [(5, 6)], [(0, 2), (1, 3)], [(9, 12)], [(12, 14)], [(-2, 1)]],
    ids=str,
)
def test_a_mention_off_its_span_is_an_error(places):
    document = parse("@a @ *b* c")
    with pytest.raises(ValueError, match="overlaps another or is not inside one span"):
        document.render([MentionMark(start, end, ANNA) for start, end in places])


def fill(pattern, *, length=20_000, begin=""):
    return (begin + pattern * length)[:length]


@pytest.mark.parametrize(
    "source",
    [
        fill("["),
        fill("[a"),
        fill("[[a]"),
        fill("![a"),
        fill("[a]", begin="[a]: http://e.org/" + "b" * 1_900 + "\n\n"),
        fill("|\n", begin="|a" * 200 + "\n" + "|-" * 200 + "\n"),
        fill("|\n", begin="|a" * 20 + "\n" + "|-" * 20 + "\n"),
        fill("a|b\n-|-\n"),
        fill("a\n", begin=">" * 28 + "a\n"),
        fill(">", length=100) + "a",
        "".join("  " * depth + "- a\n" for depth in range(40)),
        "a" * (markup.MAX_SOURCE + 1),
    ],
    ids=lambda source: source[:12],
)
def test_what_grows_beyond_its_bounds_is_refused(source):
    with pytest.raises(MarkupTooLargeError):
        render(source)


def test_too_much_html_is_refused_before_it_is_made():
    with pytest.raises(MarkupTooLargeError, match="too much HTML"):
        parse(fill("[a]", begin="[a]: http://e.org/" + "b" * 1_900 + "\n\n"))


@pytest.mark.parametrize("pattern", ["a", "&", "<", '"', "\u00a0", "\U0001f680", "@a ", "\n"])
def test_any_20_000_characters_of_plain_text_fit(pattern):
    assert len(render(fill(pattern)).encode()) <= markup.MAX_HTML


def test_mentions_count_towards_the_bound():
    document = parse(fill("@a<"))
    marks = [MentionMark(i, i + 2, ANNA) for i in range(0, 9_000, 3)]
    with pytest.raises(MarkupTooLargeError, match="shorten it"):
        document.render(marks)


@pytest.mark.parametrize(
    "line",
    [
        "A line of words with *some* markup, `code`, and a [link](http://e.org/a) in it.\n",
        "- an item that names @somebody\n",
        "> > what was quoted twice\n> once, and so on\n\nan answer\n\n",
        "| first | second | third and last |\n",
        "See [1], and [ not closed.\n\n",
    ],
)
def test_what_people_write_fits(line):
    begin = "| a | b | c |\n|---|---|---|\n" if line.startswith("|") else ""
    assert render(fill(line, begin=begin))


def test_depth_that_people_use_is_kept():
    source = "".join("> " * depth + f"level {depth}\n" for depth in range(20))
    text = Page(render(source)).text
    assert all(f"level {depth}" in text for depth in range(20))
