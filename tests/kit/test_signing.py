"""Keys and tags: one secret, a key for each purpose."""

from hypothesis import assume, given
from hypothesis import strategies as st

from api.kit.signing import Signer

SECRET = "a secret for the tests, long enough"


def test_a_tag_stays_the_same_from_release_to_release() -> None:
    """Else every cursor and token that is out there would be worth nothing after an upgrade."""
    tag = Signer(SECRET).sign("cursor", b"message").hex()
    assert tag == "682eb5e3ca29d8e8f4e475e4a8a9fbf95e8c080add967a127d3bb3ff8d5e0e8a"


@given(st.text(), st.text(), st.binary(), st.binary())
def test_another_purpose_message_or_secret_makes_another_tag(
    purpose: str, other_purpose: str, message: bytes, other_message: bytes
) -> None:
    signer = Signer(SECRET)
    tag = signer.sign(purpose, message)
    assert len(tag) == 32
    assert tag == signer.sign(purpose, message)
    assert tag != Signer(SECRET + "!").sign(purpose, message)
    assume(purpose != other_purpose and message != other_message)
    assert tag != signer.sign(other_purpose, message)
    assert tag != signer.sign(purpose, other_message)


def test_the_secret_is_not_in_the_repr() -> None:
    assert SECRET not in repr(Signer(SECRET))
