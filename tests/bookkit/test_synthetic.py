"""How the experiment on texts of models sorts words by how rare they are."""

from bookkit.experiments.synthetic import BANDS, by_rarity, words


def test_words_have_no_case_or_signs() -> None:
    assert words("Lily's yo-yo. LILY!") == ["lily", "s", "yo", "yo", "lily"]


def test_rarity_counts_texts_once() -> None:
    """A word that one of a hundred texts has ten times is in 1% of them, the end of the second band."""
    bands = by_rarity(["once " * 10 + "all", *["all"] * 99])
    assert len(bands) == len(BANDS) - 1
    assert bands[1] == {"once"}
    assert bands[-1] == {"all"}
