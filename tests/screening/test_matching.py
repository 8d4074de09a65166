"""Word lists on texts that hide their words: found whatever the spelling, and where they stand.

The words are invented.
"""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.screening.matching import (
    Entry,
    EntryKind,
    InvalidEntryError,
    Matcher,
    check_value,
)

WORDS = ("blorp", "zwibbel", "gronk", "vool", "grall", "plimf tarsk", "блурм", "最悪語")
# Ways to write a letter that readers take for it.
DISGUISES = {
    "a": "aA4а＠ä",
    "b": "bB𝐛ｂ",
    "e": "eE3еé",
    "i": "iI1lí",
    "k": "kKк",
    "l": "lL1iI",
    "o": "oO0оö",
    "p": "pPр",
    "r": "rRｒ",
    "s": "sS5ѕ",
    "t": "tT7т",
    "v": "vVѵ",
}
UNSEEN = ("", "\u200b", "\u200d", "\u00ad", "\u0301")


def make_matcher(*values: str, kind: EntryKind = EntryKind.WORD) -> Matcher:
    return Matcher([Entry(UUID(int=n), kind, value) for n, value in enumerate(values)])


def find(text: str, *values: str, kind: EntryKind = EntryKind.WORD) -> list[str]:
    return [text[match.start : match.end] for match in make_matcher(*values, kind=kind).find(text)]


@st.composite
def disguised(draw: st.DrawFn) -> tuple[str, str]:
    """A word, and a spelling of it that should be found."""
    word = draw(st.sampled_from(WORDS))
    spelling = ""
    for letter in word:
        shape = draw(st.sampled_from(DISGUISES.get(letter, letter + letter.upper())))
        if shape == "＠" and not spelling:
            shape = letter
        repeated = draw(st.integers(1, 3)) if letter.isalpha() else 1
        spelling += shape * repeated + draw(st.sampled_from(UNSEEN))
    return word, spelling.rstrip("\u200b\u200d\u00ad")


@given(disguised(), st.sampled_from(["", "so ", "so, ", "ünd\n", "«", "これは "]))
def test_a_disguised_word_is_found_where_it_stands(pair: tuple[str, str], before: str) -> None:
    word, spelling = pair
    text = f"{before}{spelling} and more"
    (match,) = make_matcher(word).find(text)
    assert match.start == len(before)
    # An accent that ends the word is read with it or not: it is not seen either way.
    assert text[match.start : match.end].rstrip("\u0301") == spelling.rstrip("\u0301")


@pytest.mark.parametrize(
    "text", ["b l o r p", "b.l.o.r.p", "b-l-o-r-p!", "bl.orp", "b_lorp", "B L O R P", "x b l o r p"]
)
def test_letters_written_apart_are_one_word(text: str) -> None:
    assert find(text, "xblorp" if text.startswith("x") else "blorp") != []


@pytest.mark.parametrize("text", ["a b l o r p", "such a b l o r p I saw", "b. l. o. r. p, u know"])
def test_letters_written_apart_end_beside_a_word_of_one_letter(text: str) -> None:
    [found] = find(text, "blorp")
    assert "".join(filter(str.isalpha, found)) == "blorp"


@pytest.mark.parametrize(
    "text", ["blorps", "unblorp", "blo rp", "a blor p", "vol", "gral", "b l o r k", "", "😀" * 50]
)
def test_other_words_are_left_alone(text: str) -> None:
    assert find(text, "blorp", "vool", "grall") == []


def test_a_word_of_several_is_found_over_any_white_space() -> None:
    assert find("so plimf \n\t tarsk", "plimf tarsk") == ["plimf \n\t tarsk"]
    assert find("plimftarsk", "plimf tarsk") == []


def test_words_in_scripts_without_spaces_need_no_ends() -> None:
    assert find("これは最悪語だ", "最悪語") == ["最悪語"]
    assert find("これはblorpだ", "blorp") == ["blorp"]


def test_each_entry_is_found_once_in_the_order_of_the_text() -> None:
    matcher = make_matcher("gronk", "blorp")
    found = matcher.find("blorp gronk blorp gronk")
    assert [(match.entry_id.int, match.start) for match in found] == [(1, 0), (0, 6)]


def test_patterns_see_digits_and_punctuation() -> None:
    assert find("Call 555-12345 now", r"\d{3}-\d{5}", kind=EntryKind.PATTERN) == ["555-12345"]
    assert find("ЅＰＡＭ№ 1", r"spam", kind=EntryKind.PATTERN) == ["ЅＰＡＭ"]
    assert find("nothing", r"x|y", kind=EntryKind.PATTERN) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (EntryKind.WORD, ""),
        (EntryKind.WORD, "!"),
        (EntryKind.WORD, "a"),
        (EntryKind.WORD, "aaaa"),
        (EntryKind.WORD, "x" * 201),
        (EntryKind.PATTERN, r"(a)\1"),
        (EntryKind.PATTERN, "a(?=b)"),
        (EntryKind.PATTERN, "a*"),
        (EntryKind.PATTERN, "("),
        (EntryKind.PATTERN, "(a{900}){900}"),
    ],
)
def test_what_cannot_be_matched_is_refused_with_a_reason(kind: EntryKind, value: str) -> None:
    with pytest.raises(InvalidEntryError, match=r"\."):
        check_value(kind, value)


@given(st.text(max_size=300))
def test_any_text_can_be_searched(text: str) -> None:
    matcher = make_matcher(*WORDS)
    for match in matcher.find(text):
        assert 0 <= match.start < match.end <= len(text)


@given(st.text(min_size=1, max_size=40))
def test_whatever_is_accepted_finds_itself(value: str) -> None:
    try:
        check_value(EntryKind.WORD, value)
    except InvalidEntryError:
        return
    assert find(f"so {value} there", value) != []
