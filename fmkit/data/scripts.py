"""Words in scripts that have no spaces between them."""

import re

# Thai, Lao, Tibetan, Burmese; Khmer; Tai Le and New Tai Lue; Tai Tham; Balinese; Chinese and Japanese signs,
# ideographs; Javanese; kana of half the width; ideographs above 2^16. Korean has spaces.
CHARACTER = (
    "[\u0e00-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u1b00-\u1b7f\u2e80-\u312f\u31a0-\u9fff"
    "\ua980-\ua9df\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)


def space_out(text: str) -> str:
    """Put spaces around each character of Chinese, Japanese, Thai and other scripts without spaces.

    What compares words then compares characters there, instead of whole sentences. Other text stays as it is.
    """
    return text if text.isascii() else re.sub(CHARACTER, r" \g<0> ", text)
