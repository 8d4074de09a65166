"""Scripts whose words are not separated by spaces."""

from bisect import bisect_right

# Unicode blocks (first and last code point) of the scripts that are written without spaces between
# words, in order: https://www.unicode.org/Public/UNIDATA/Blocks.txt, line breaking class SA, and
# Chinese, Japanese, Tibetan and Yi.
UNSPACED_BLOCKS = (
    (0x0E00, 0x0FFF),  # Thai, Lao, Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x1AAF),  # Tai Le, New Tai Lue, Khmer symbols, Buginese, Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0x2E80, 0x2FDF),  # radicals of Han characters
    (0x3005, 0x3007),  # iteration mark, closing mark, zero of Han
    (0x3021, 0x312F),  # Hangzhou numerals, Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31FF),  # Bopomofo and Katakana, extended
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0xA4CF),  # Han, Yi
    (0xA980, 0xA9FF),  # Javanese, Myanmar
    (0xAA60, 0xAADF),  # Myanmar, Tai Viet
    (0xF900, 0xFAFF),  # Han, compatibility
    (0xFF66, 0xFF9F),  # Katakana of half width
    (0x16FE0, 0x1B2FF),  # Tangut, Khitan, Nushu, Kana
    (0x20000, 0x3FFFF),  # Han, extensions B and later
)
_FIRST = tuple(first for first, _ in UNSPACED_BLOCKS)


def is_unspaced(character: str) -> bool:
    """Say whether a letter or mark is of a script without spaces between words; "" is not."""
    if not character:
        return False
    code = ord(character)
    block = bisect_right(_FIRST, code) - 1
    return block >= 0 and code <= UNSPACED_BLOCKS[block][1]
