from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from api.comments.mentions import parsing as mentions
from api.comments.mentions.parsing import MentionCandidate, Person, find, keys_of, resolve, suggest
from api.kit.text.markup import MentionMark, parse
from api.kit.text.names import name_key
from api.kit.text.traced_markdown import MarkupTooLargeError


def make_person(handle, display_name, *, in_thread=True, former=()):
    return Person(
        user_id=UUID(bytes=handle.encode().ljust(16, b"-")[:16]),
        handle=handle,
        display_name=display_name,
        avatar_url=None,
        handles=frozenset({handle, *former}),
        in_thread=in_thread,
    )


MARA = make_person("mara", "Mara")
TOM = make_person("tomo", "Tom Okafor")
VARGA = make_person("jrv", "J. R. Varga")
ODEA = make_person("fionn_o", "O'Dea")
NO = make_person("never", "Dr. Nay")
YUKI = make_person("yuki", "山田 花子")
SUNNY = make_person("sunny-d", "Sunny \U0001f31e")
PEOPLE = [MARA, TOM, VARGA, ODEA, NO, YUKI, SUNNY]


def see_names(text):
    """The names that each "@" offers."""
    document = parse(text)
    return [
        [document.source[at.start + 1 : candidate.end] for candidate in at.candidates]
        for at in find(document)
    ]


def read(text, people=PEOPLE):
    """Whom a text mentions, and what it leaves open."""
    document = parse(text)
    found, unresolved = resolve(document.source, find(document), people)
    for item in (*found, *unresolved):
        assert document.source[item.start : item.end] == item.text
    document.render([MentionMark(m.start, m.end, m.person.user_id) for m in found])
    return [(m.text, m.person.handle) for m in found], [(u.text, u.reason) for u in unresolved]


def told(text, people=PEOPLE):
    return read(text, people)[0]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@mara", [["mara"]]),
        ("@mara...", [["mara...", "mara..", "mara.", "mara"]]),
        ("@a, b", [["a, b", "a,", "a"]]),
        ("@J. R. V", [["J. R. V", "J. R.", "J. R", "J.", "J"]]),
        ("@O'D", [["O'D", "O"]]),
        ("@tom-okafor's", [["tom-okafor's", "tom-okafor"]]),
        ("@tom- x", [["tom- x", "tom-", "tom"]]),
        ("@tom_okafor", [["tom_okafor"]]),
        ("@_a_b", [["_a_b"]]),
        ("@a  b ", [["a  b", "a"]]),
        ("@a\nb", [["a"]]),
        ("@a\u2028b", [["a"]]),
        ("**@a**b", [["a"]]),
        ("@a b@c", [["a"]]),
        ("@a b.c+d-e@f @a, b.c@d", [["a"], ["a,", "a"]]),
        ("@test@example.com @a.b@c @a_b@\u00e9", []),
        ("@a@ b", [["a"]]),
        ("a!@b #@b $@b %@b &@b 2*@b \\*@b", []),
        ("*@a* **@b**", [["a"], ["b"]]),
        ("\u306e@a\u306b", [["a\u306b", "a"]]),
        ("\u6211@a-b\u662f\u4eba", [["a-b\u662f\u4eba", "a-b"]]),
        ("\u0e17\u0e35\u0e48@a1\u0e41", [["a1\u0e41", "a1"]]),
        ("\u5c71\u7530@a.example", []),
        ("@a\ub2d8", [["a\ub2d8", "a"]]),
        ("\ub2d8@a", []),
        ("@a @b", [["a"], ["b"]]),
        ("@Jose\u0301", [["Jose\u0301"]]),
        ("@नमस्ते जी", [["नमस्ते जी", "नमस्ते"]]),
        ("@(a)", [["(a)", "(a"]]),
        ("@\U0001f31e!", [["\U0001f31e!", "\U0001f31e"]]),
        ("@ a", []),
        ("@", []),
        ("@... @!? @", []),
        ("@@a", []),
        ("a@b.example 1@2 é@b e\u0301@b", []),
        ("(@a,@b/@c", [["a,", "a"], ["b/", "b"], ["c"]]),
        ("a\\@b \\@c", []),
        ("@a\\_b @a\\-b", []),
        ("@a\\*b", [["a"]]),
        ("`@a` [@b](http://e.org) <c@e.org> http://e.org/@d\n\n> @e\n\n    @f", []),
    ],
)
def test_names_that_may_follow(text, names):
    assert see_names(text) == names


def test_names_end_within_their_bounds():
    assert see_names("@" + "a " * 20)[0][0] == " ".join("a" * mentions.MAX_WORDS)
    assert see_names("@" + "a" * 64)[0] == ["a" * 64]
    assert see_names("@" + "a" * 65) == []
    assert max(map(len, see_names("@a" + "." * 80)[0])) == 64
    assert len(find(parse("@a " * 60))) == mentions.MAX_MENTIONS
    assert len(find(parse("*@a* " * 60))) == mentions.MAX_MENTIONS


def test_keys_of_all_candidates_are_looked_up_once():
    ats = find(parse("@Tom  OKAFOR and @tom okafor"))
    assert keys_of(ats) == {"tom", "tom okafor", "tom okafor and"}
    assert keys_of(()) == frozenset()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@mara", [("@mara", "mara")]),
        ("@Mara\u2026. I think", [("@Mara", "mara")]),
        ("@MARA... I think", [("@MARA", "mara")]),
        ("@mara's and @mara\u2019s", [("@mara", "mara"), ("@mara", "mara")]),
        ("(@mara) @mara, \u201c@mara\u201d @mara: @mara! @mara?", [("@mara", "mara")] * 6),
        ("@Tom Okafor\n\nfirst of all", [("@Tom Okafor", "tomo")]),
        ("@tom   okafor, no", [("@tom   okafor", "tomo")]),
        ("**@Tom Okafor**: *@tomo*", [("@Tom Okafor", "tomo"), ("@tomo", "tomo")]),
        ("@J. R. Varga. So", [("@J. R. Varga", "jrv")]),
        ("@O'Dea @O\u2019Dea's", [("@O'Dea", "fionn_o"), ("@O\u2019Dea", "fionn_o")]),
        ("@Dr. Nay", [("@Dr. Nay", "never")]),
        ("@fionn_o", [("@fionn_o", "fionn_o")]),
        (
            "@sunny-d @Sunny \U0001f31e.",
            [("@sunny-d", "sunny-d"), ("@Sunny \U0001f31e", "sunny-d")],
        ),
        ("@山田 花子、", [("@山田 花子", "yuki")]),
        ("\U0001f31e @mara", [("@mara", "mara")]),
        ("- a\n- @mara and @tomo", [("@mara", "mara"), ("@tomo", "tomo")]),
        ("@mara-lou @mara_ @marama @mara1 @maraé @mara\u0301", []),
        ("a@mara x@mara.example @@mara", []),
        ("\\@mara `@mara` [@mara](http://e.org)\n\n> @mara", []),
        ("@Tom\nOkafor", []),
        ("@Tom **Okafor**", []),
        ("mara, Tom Okafor: J. R. Varga wrote", []),
        ("@mara@example.com @mara@tomo @tomo.x@example.com", []),
        ("@Tom Okafor@example.com", []),
        ("の@maraに、@tomoさん", [("@mara", "mara"), ("@tomo", "tomo")]),
        ("我问@mara是谁 @Tom Okafor說", [("@mara", "mara"), ("@Tom Okafor", "tomo")]),
        ("ถาม@maraแล้ว ที่@tomo", [("@mara", "mara"), ("@tomo", "tomo")]),
        ("@山田 花子さん 山田@mara.example", []),
        ("@mara님", [("@mara", "mara")]),
        ("!@mara #@mara $@mara %@mara &@mara 2*@mara", []),
    ],
)
def test_mentions(text, found):
    assert told(text) == found


def test_the_thread_goes_first_then_the_longest_name():
    here = make_person("max01", "Max")
    longer_here = make_person("max02", "Max Berg")
    away = make_person("max03", "Max Berg Junior", in_thread=False)
    owner_away = make_person("max", "Somebody", in_thread=False)
    assert told("@Max Berg Junior", [away, here]) == [("@Max", "max01")]
    assert told("@Max Berg Junior", [here, longer_here]) == [("@Max Berg", "max02")]
    assert told("@Max Berg Junior", [away, owner_away]) == [("@Max Berg Junior", "max03")]
    assert told("@max", [here, owner_away]) == [("@max", "max01")]
    assert told("@max", [away, owner_away]) == [("@max", "max")]


@pytest.mark.parametrize("in_thread", [True, False])
def test_a_handle_goes_before_a_display_name(in_thread):
    owner = make_person("ines", "Somebody", in_thread=in_thread)
    called = make_person("other", "Ines", in_thread=in_thread)
    renamed = make_person("third", "Somebody Else", in_thread=in_thread, former=["inez"])
    called_so = make_person("fourth", "Inez", in_thread=in_thread)
    people = [called, owner, called_so, renamed]
    assert told("@Ines", people) == [("@Ines", "ines")]
    assert told("@inez", people) == [("@inez", "third")]


def test_a_name_of_several_people_tells_nobody():
    people = [make_person(f"sam{n:02}", "Sam Li") for n in range(12)]
    document = parse("cc @Sam Li.")
    found, [unresolved] = resolve(document.source, find(document), people[::-1])
    assert found == []
    assert (unresolved.text, unresolved.reason) == ("@Sam Li", "ambiguous")
    assert (unresolved.start, unresolved.end) == (3, 10)
    assert unresolved.candidates == tuple(people[: mentions.MAX_CANDIDATES])
    assert told("@Sam Li", [people[0], people[0]]) == [("@Sam Li", "sam00")]
    away = [make_person(p.handle, p.display_name, in_thread=False) for p in people[1:]]
    assert told("@Sam Li", [people[0], *away]) == [("@Sam Li", "sam00")]


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("@nobody here", "@nobody"),
        ("@nobody's", "@nobody"),
        ("@NOBODY'S", "@NOBODY"),
        ("@nobody, @mara", "@nobody"),
        ("@no-body_.", "@no-body_"),
        ("@no.body.", "@no.body"),
        ("@O'Nobody!", "@O'Nobody"),
        ("@\U0001f680!", "@\U0001f680"),
        ("@" + "a." * 50, "@" + "a." * 31 + "a"),
    ],
)
def test_an_unknown_name_is_shown_by_its_first_word(text, unknown):
    assert read(text)[1] == [(unknown, "unknown")]


def test_an_unknown_name_inside_a_word_is_not_reported():
    assert read("\u5c71\u7530@nobody\u3078") == ([], [])


UNSPACED = st.text(
    st.sampled_from("\u306e\u306b\u30ab\u6211\u662f\u0e17\u0e48\u0e41\u1780\u1000\u0f40"),
    max_size=4,
)


@given(UNSPACED, st.sampled_from([MARA, TOM, VARGA, ODEA, SUNNY]), UNSPACED)
def test_a_handle_is_found_among_letters_without_spaces(before, person, after):
    text = f"{before}@{person.handle}{after}"
    assert told(text) == [(f"@{person.handle}", person.handle)]


@given(
    st.from_regex(r"[a-z0-9]([a-z0-9._+-]{0,10}[a-z0-9_])?", fullmatch=True),
    st.from_regex(r"[a-z0-9]{1,5}(\.[a-z]{2,5}){0,2}", fullmatch=True),
    st.sampled_from(["", "@", "("]),
)
def test_an_address_mentions_nobody(local, host, before):
    people = [make_person(name, name) for name in {local, host, local[0], host[0], "mara"}]
    assert read(f"{before}{local}@{host}", people) == ([], [])


# What may stand around a mention without being part of it, and without changing what it is.
BEFORE = st.lists(st.sampled_from(["so", "(", "\u2026", "\U0001f680", "x,", "\n", "*"]), max_size=6)
NEXT = st.sampled_from(
    ["", ".", "...", "\u2026.", ",", "'s", "\u2019s", "!", ")", ":", " and", "\n"]
)
WRAPPED = st.sampled_from(
    ["{}", "**{}**", "- {}", "# {}", "~~*{}*~~", "a\n> b\n\n{}", "|a|\n|-|\n|{}|"]
)


@given(BEFORE, st.sampled_from(PEOPLE), st.booleans(), NEXT, WRAPPED, st.text("ab ,.", max_size=9))
@settings(max_examples=150, deadline=None)
def test_a_planted_mention_is_found_where_it_stands(before, person, by_handle, after, frame, rest):
    name = person.handle if by_handle else person.display_name
    # Before white space, "**" closes nothing: the reader sees the asterisks.
    assume(not frame.endswith(("*", "~~")) or after.strip() == after)
    # A letter right after it would make it another name.
    rest = rest if rest[:1] not in {"a", "b"} else f" {rest}"
    text = "\n\n".join([" ".join(before), frame.replace("{}", f"@{name}{after}"), rest])
    document = parse(text)
    found, unresolved = resolve(document.source, find(document), PEOPLE)
    start = document.source.index(f"@{name}")
    assert [(m.start, m.end, m.person) for m in found] == [(start, start + 1 + len(name), person)]
    assert unresolved == []


@given(st.text(st.sampled_from("@@@mara Tom Okafor'sJ.RV-_*`\\\n[](>)é\U0001f31e"), max_size=60))
@settings(max_examples=200, deadline=None)
@example("@mara@mara")
@example("@mara*@mara*")
def test_mentions_are_in_order_bounded_and_apart(text):
    try:
        document = parse(text)
    except MarkupTooLargeError:
        return
    ats = find(document)
    found, unresolved = resolve(document.source, ats, PEOPLE)
    assert len(found) + len(unresolved) == len([at for at in ats if not at.in_word])
    places = sorted([(m.start, m.end) for m in (*found, *unresolved)])
    assert all(one[1] <= two[0] for one, two in pairwise(places))
    for item in (*found, *unresolved):
        assert item.text == document.source[item.start : item.end]
        assert item.text[0] == "@"
        assert 1 < len(item.text) <= 65
        assert "\n" not in item.text
    for mention in found:
        assert name_key(mention.text[1:]) in mention.person.keys
    for at in ats:
        assert isinstance(at, MentionCandidate)
        ends = [candidate.end for candidate in at.candidates]
        assert ends == sorted(ends, reverse=True)
        assert ends


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("Tom Okafor, you are right", [("Tom Okafor", "tomo")]),
        ("Tom O: I agree", [("Tom O", "tomo")]),
        ("tom o.: I agree", [("tom o.", "tomo")]),
        ("Tom wrote: \u201cno\u201d", [("Tom", "tomo")]),
        ("**Mara:** no", [("Mara", "mara")]),
        ("Mara said no", [("Mara", "mara")]),
        ("J. R. Varga : no", [("J. R. Varga", "jrv")]),
        ("J. R. V., no", [("J. R. V.", "jrv")]),
        ("a\n\nMara,\n\n- Tom: b", [("Mara", "mara"), ("Tom", "tomo")]),
        ("@Mara, no", []),
        ("Mara is right", []),
        ("Mara wrotes", []),
        ("I think, Mara, no", []),
        ("yes\nMara, no", []),
        ("> Mara, no\n\n`Mara`, no\n\n    Mara, no", []),
        ("Okafor, no", []),
    ],
)
def test_suggestions(text, suggested):
    document = parse(text)
    suggestions = suggest(document, PEOPLE)
    assert [(document.source[s.start : s.end], s.person.handle) for s in suggestions] == suggested
    assert told(text.replace("@", "")) == []


def test_a_short_name_is_suggested_while_it_fits_one_person():
    other = make_person("thomas", "Tom Ode")
    whole = make_person("tom", "Tom")
    document = parse("Tom: a\n\nTom O: b\n\nTom Ode: c")
    assert [s.person for s in suggest(document, [TOM, other])] == [other]
    assert [s.person for s in suggest(document, [TOM, whole])] == [whole, TOM]
    twin = make_person("twin", "Tom Ode")
    assert suggest(document, [other, twin]) == ()


def test_suggestions_are_bounded():
    assert len(suggest(parse("Mara, a\n\n" * 20), PEOPLE)) == mentions.MAX_SUGGESTIONS
