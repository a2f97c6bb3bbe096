"""What the world says of a model's stories: the kinds of their words, and where they fail."""

import pytest

from bookkit.experiments.story_judge import KINDS, StoryJudge
from fmkit.world import load_stories

STORY = (
    "Once upon a time, a clever little boy named Jack lived next to the school. He loved to eat corn. One "
    "Monday, Jack went to the fair with six coins. He bought a bright doll for two coins and had four "
    "coins left."
)


@pytest.fixture(scope="module")
def judge() -> StoryJudge:
    return StoryJudge(load_stories(2_000, 10)["train"]["text"])


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        ("Once ", "phrase"),
        ("Once upon a time, ", "choice"),
        ("Once upon a time, there was a brave rabbit named Benny. ", "choice"),
        ("Benny the rabbit lived under a big rock. ", "pronoun"),
        ("Benny the rabbit lived ", "phrase"),
        ("Once upon a time, there was a brave rabbit named Benny. One day, ", "choice"),
    ],
)
def test_the_kind_of_a_place(judge: StoryJudge, beginning: str, kind: str) -> None:
    assert judge.kind(beginning) == kind


FOUND = (
    "Zoe lived near the station. She had a puppy named Spot. One day, Zoe could not find her red kite. She "
    "looked under the bed and in the shed, but found only a wet shoe and a blue sock. Then she heard a soft "
    "sound in the kitchen. It was Spot the puppy, playing with the "
)


@pytest.mark.parametrize(
    ("beginning", "word", "kind"),
    [
        (FOUND, "kite", "memory"),
        (FOUND[: FOUND.index("Spot the")], "spot", "memory"),
        (FOUND[: FOUND.index("near the")], "near", "phrase"),
    ],
)
def test_memory_is_of_what_was_said(judge: StoryJudge, beginning: str, word: str, kind: str) -> None:
    assert judge.allowed(beginning) == {word}
    assert judge.kind(beginning) == kind


def test_a_sum_allows_one_number(judge: StoryJudge) -> None:
    assert judge.kind(STORY[: STORY.index("six")]) == "choice"
    assert judge.allowed(STORY[: STORY.index("four")]) == {"four"}
    assert judge.kind(STORY[: STORY.index("four")]) == "number"


def test_what_is_spoken_has_words(judge: StoryJudge) -> None:
    """The world expects a quotation mark, which is no word."""
    beginning = (
        "Once upon a time, there was a brave rabbit named Benny. One day, Benny took the wrong path and got "
    )
    assert judge.allowed(beginning + "lost. He felt worried. Poppy the panda stopped. ") == {"where"}


def test_stories_count_to_the_first_mistake(judge: StoryJudge) -> None:
    story = load_stories(10, 1)["validation"]["text"][0]
    whole = judge.judge([story])
    assert whole["true"] == whole["passes"] == whole["words"] == 1
    assert sum(reached for reached, _ in whole["places"].values()) == len(story.split(" "))
    assert not sum(failed for _, failed in whole["places"].values())
    words = story.split(" ")
    broken = judge.judge([" ".join([*words[:10], "purple", *words[11:]])])
    assert sum(reached for reached, _ in broken["places"].values()) == 11
    assert sum(failed for _, failed in broken["places"].values()) == 1
    assert list(broken["places"]) == list(KINDS)


def test_an_unfinished_story_has_no_mistake(judge: StoryJudge) -> None:
    measured = judge.judge(["Once upon a"])
    assert sum(failed for _, failed in measured["places"].values()) == 0
    assert measured["true"] == 0
