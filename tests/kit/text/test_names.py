import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.kit.text.names import MAX_NAME, clean_name_errors, name_key
from api.users.handles import (
    MAX_HANDLE,
    MIN_HANDLE,
    RESERVED_HANDLES,
    handle_from_name,
    handle_skeleton,
    is_reserved_handle,
    looks_like_staff,
    normalize_handle,
)

# Two parts of one word, which a zero-width non-joiner keeps from running into each other.
PERSIAN = "\u0646\u0627\u0645\u0647\u200c\u0647\u0627"

# Of characters with look-alikes, mostly.
HANDLES = st.lists(st.text("arnvwilmo01", min_size=1, max_size=7), min_size=1, max_size=4).map(
    "_".join
)
HANDLES = HANDLES.filter(lambda handle: len(handle) >= MIN_HANDLE)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Ada Obi", "ada obi"),
        ("  ADA \u00a0\u3000 obi ", "ada obi"),
        ("\uff26\uff35\uff2c\uff2c\u3000width", "full width"),
        ("Straße", "strasse"),
        ("Jose\u0301", "jos\u00e9"),
        ("O\u2019Neil", "o'neil"),
        ("\u02bbAna", "\u02bbana"),
        (PERSIAN, PERSIAN.replace("\u200c", "")),
        ("\u2764\ufe0f", "\u2764"),
        ("max_power", "max_power"),
        ("", ""),
    ],
)
def test_name_key(name, key):
    assert name_key(name) == key


@given(st.text(max_size=MAX_NAME))
@settings(max_examples=200, deadline=None)
@example("\u0345\u0300a")
def test_name_key_is_stable_and_bounded(name):
    key = name_key(name)
    assert name_key(key) == key
    assert name_key(f" {name.upper()} ") == name_key(name.upper())
    assert len(key) <= 18 * len(name)


@pytest.mark.parametrize("handle", ["ab", "A1", "Ada-Obi", "a_b-c_d", "0" * MAX_HANDLE])
def test_a_handle_is_stored_in_lower_case(handle):
    assert normalize_handle(handle) == handle.lower()


@pytest.mark.parametrize(
    "handle",
    [
        *("", "a", "a" * (MAX_HANDLE + 1), "-ab", "ab_", "a--b", "a_-b", "a b", "a.b", "@ab"),
        *("ab\n", "é\u0301a", "adá", "\u212aim", "\u01312", "a\x00b", "\ud800a"),
    ],
)
def test_what_is_no_handle_is_an_error(handle):
    with pytest.raises(ValueError, match="Choose a handle of 2 to 32 characters"):
        normalize_handle(handle)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("oliver", "0liver"),
        ("paul", "pau1"),
        ("paul", "paui"),
        ("liam", "1lam"),
        ("milli", "mi1l1"),
        ("modern", "modem"),
        ("mo-dern", "moder-n"),
        ("wendy", "vvendy"),
        ("ada_obi", "adaobi"),
        ("ada_obi", "ada-obi"),
    ],
)
def test_look_alikes_have_one_skeleton(one, other):
    assert handle_skeleton(one) == handle_skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"), [("ada", "adam"), ("anna", "anne"), ("r2", "rn"), ("liv", "lv"), ("al", "a2")]
)
def test_others_have_not(one, other):
    assert handle_skeleton(one) != handle_skeleton(other)


@given(HANDLES)
@settings(max_examples=100, deadline=None)
def test_a_skeleton_is_its_own(handle):
    skeleton = handle_skeleton(handle)
    assert 0 < len(skeleton) <= len(handle)
    assert handle_skeleton(skeleton) == skeleton


def test_reserved_handles_and_their_look_alikes():
    assert all(normalize_handle(handle) == handle for handle in RESERVED_HANDLES)
    assert all(map(is_reserved_handle, RESERVED_HANDLES))
    for handle in ("adm1n", "m0derator", "r00t", "no-reply", "every_one", "sys-tem"):
        assert is_reserved_handle(handle)
    for handle in ("adamin", "ada", "root-beer", "user"):
        assert not is_reserved_handle(handle)


@pytest.mark.parametrize(
    "name",
    [
        *("Admin", "ADMIN", "admin", "Administrator", "Moderator", "Moderators", "Mod", "mods"),
        *("\u0410dmin", "\u0430dm\u0456n", "\u0391dmin", "\u0410\u0434\u043c\u0438\u043d"),
        *("Su\u0440\u0440ort", "M\u043ed\u0435r\u0430t\u043er", "\uff21\uff44\uff4d\uff49\uff4e"),
        *("\U0001d400dmin", "\u24b6\u24d3\u24dc\u24d8\u24dd", "\u1d00\u1d05\u1d0d\u026a\u0274"),
        *("\ua4ee\ua4d3\ua4df\ua4f2\ua4e0", "\u13aa\u13a0\u13b7\u13a5N", "\U0001f170dmin"),
        *(
            "Adm1n",
            "M0derator",
            "4dm!n",
            "@dmin",
            "adrnin",
            "Admln",
            "\u00c1dm\u00edn",
            "Adm\u0131n",
        ),
        *(
            "a d m i n",
            "A.d.m.i.n",
            "[Admin]",
            "Admin 2",
            "admin2",
            "Admin \u2705",
            "Max (Moderator)",
        ),
        *("Forum Admin", "ForumAdmin", "Adminteam", "The Moderators", "Site Administration"),
        *(
            "Support Team",
            "Forum Staff",
            "The Team",
            "Palaver",
            "Palaver Support",
            "System",
            "Root",
        ),
        *("Official Support", "sup-port", "Ad\u200dmin"),
    ],
)
def test_names_of_staff(name):
    assert looks_like_staff(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Max",
            "Ada Obi",
            "Badminton Club",
            "Conrad Min",
            "Conradmin",
            "Wayne Root",
            "Support Max",
            "Modesto",
        ),
        *(
            "Max of the Forum",
            "The Forum",
            "Jose\u0301",
            "\u041e\u043b\u044c\u0433\u0430",
            "\u674e\u660e",
        ),
        *(
            "...",
            "\U0001f680",
            "Staffan",
            "Teamwork Tim",
            "Rooty",
            "Moderate Mike",
            "Owner of Cats",
        ),
        *("1", "Lee 2", "2", "Max Power 3000"),
    ],
)
def test_names_of_others(name):
    assert not looks_like_staff(name)


@given(st.text(max_size=MAX_NAME))
def test_any_text_is_of_staff_or_not(name):
    assert looks_like_staff(name) in (True, False)
    assert looks_like_staff(f"{name} moderator {name}")


@pytest.mark.parametrize(
    ("name", "taken", "handle"),
    [
        ("Ada Obi", set(), "ada-obi"),
        ("Ada Obi", {"ada-obi"}, "ada-obi-2"),
        ("Ada Obi", {"adaobl", "ada-obi-2"}, "ada-obi-3"),
        ("Modern", {"modem"}, "modern-2"),
        ("O'Neil, Conor (Jr.)", set(), "oneil-conor-jr"),
        ("Łukasz Żółw", set(), "lukasz-zolw"),
        ("Ольга", set(), "olga"),
        ("\U0001f680", set(), "rocket"),
        ("J", set(), "j-2"),
        ("Admin", set(), "admin-2"),
        ("...", set(), "user"),
        ("...", {"user"}, "user-2"),
        ("a" * 64, set(), "a" * 32),
        ("a" * 64, {"a" * 32}, "a" * 30 + "-2"),
        ("a" * 31 + " b", set(), "a" * 31),
    ],
)
def test_a_handle_is_made_from_a_name(name, taken, handle):
    assert handle_from_name(name, taken) == handle


@given(st.text(max_size=MAX_NAME), st.sets(HANDLES, max_size=5))
@settings(max_examples=150, deadline=None)
def test_a_made_handle_is_one_and_free(name, taken):
    handle = handle_from_name(name, taken)
    assert normalize_handle(handle) == handle
    assert not is_reserved_handle(handle)
    assert handle not in taken
    second = handle_from_name(name, taken | {handle})
    assert handle_skeleton(second) != handle_skeleton(handle)


class Everything:
    def __contains__(self, item):
        return True


def test_making_a_handle_ends():
    with pytest.raises(ValueError, match="choose a handle"):
        handle_from_name("Ada", Everything())


@pytest.mark.parametrize(
    "name",
    [
        *("A", "Ada Obi", "J. R. Okoro", "O'Neil", "Dr. No", "李明", "Ольга", "עדה", "عائشة"),
        *("Jose\u0301", "\U0001f680", "...", "max_power", "山田\u3000花子", "x" * MAX_NAME),
        PERSIAN,
        "ක්\u200dෂ",
        "葛\U000e0100城",
        "Ada \u2764\ufe0f",
        "\U0001f469\U0001f3fd\u200d\U0001f680",
        "\U0001f3f3\ufe0f\u200d\U0001f308",
    ],
)
def test_names_that_are_fine(name):
    assert clean_name_errors(name) is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "Choose a name of 1 to 64 characters."),
        ("x" * (MAX_NAME + 1), "Choose a name of 1 to 64 characters."),
        (" Ada", "Remove the spaces at the beginning and at the end of the name."),
        ("Ada\u3000", "Remove the spaces at the beginning and at the end of the name."),
        ("A\x00da", "Remove the control character U+0000."),
        ("A\tda", "Remove the control character U+0009."),
        ("A\x9fda", "Remove the control character U+009F."),
        ("A\u2028da", "Remove the control character U+2028."),
        ("Ada\u202e", "Remove the text direction character U+202E."),
        ("\u200fAda", "Remove the text direction character U+200F."),
        ("A\u2066da", "Remove the text direction character U+2066."),
        ("A\ud83dda", "Remove the half of a surrogate pair U+D83D."),
        ("A\u200bda", "Remove the invisible character U+200B."),
        ("A\u200dda", "Remove the invisible character U+200D."),
        ("A\u200cda", "Remove the invisible character U+200C."),
        ("Ada\u200d", "Remove the invisible character U+200D."),
        ("\u200c" + PERSIAN, "Remove the invisible character U+200C."),
        (PERSIAN + "\u200c", "Remove the invisible character U+200C."),
        ("\U0001f680\u200cA", "Remove the invisible character U+200C."),
        ("A\u00adda", "Remove the invisible character U+00AD."),
        ("\ufeffAda", "Remove the invisible character U+FEFF."),
        ("A\ufe0fda", "Remove the invisible character U+FE0F."),
        ("A\U000e0100da", "Remove the invisible character U+E0100."),
        ("A\U000e0041da", "Remove the invisible character U+E0041."),
        ("\u3164", "Remove the invisible character U+3164."),
        ("A\u2800da", "Remove the invisible character U+2800."),
        ("A\u034fda", "Remove the invisible character U+034F."),
    ],
)
def test_names_that_are_not(name, message):
    assert clean_name_errors(name) == message


@given(st.text(st.characters(exclude_categories=[]), max_size=MAX_NAME + 2))
@settings(max_examples=300, deadline=None)
def test_a_fine_name_can_be_seen_and_stored(name):
    if clean_name_errors(name) is None:
        assert 1 <= len(name) <= MAX_NAME
        assert name == name.strip()
        assert name.encode()
        assert not {unicodedata.category(character) for character in name} & {"Cc", "Cs", "Zl"}
        assert name_key(name)
