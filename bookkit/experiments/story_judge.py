"""The story world as a judge of a model's stories: how true they are, and at which kinds of words they fail.

Each word of a story is a *place* of one of five kinds, by the words that the world allows there:

- choice: several words;
- pronoun: only pronouns, of which the story decides one (*he* or *she*);
- number: one word, a number (four minus one is *three*);
- memory: one word, which the story has used before (a *kite* was lost, so a *kite* is found);
- phrase: any other single word (Once upon a *time*).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from fmkit.world import Verdict, World, validity

KINDS = ("phrase", "choice", "pronoun", "memory", "number")
COMMON = 0.1  # the share of texts above which a word is in too many of them to be remembered from one
WORD = re.compile(r"[\w'-]+")
PRONOUNS = {"he", "she", "him", "her", "his", "hers"}
NUMBERS = {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}


class StoryJudge:
    """Judges stories by the rules of their world and by the words of a corpus."""

    def __init__(self, corpus: Sequence[str]) -> None:
        self.world = World()
        counts = Counter(word for text in corpus for word in words_of(text))
        self.words = set(counts)
        self.common = {word for word, count in counts.items() if count > COMMON * len(corpus)}

    def judge(self, stories: list[str]) -> dict[str, Any]:
        """Return shares: of words that the corpus has, of a story before its first mistake, of true stories.

        `places` has for each kind how many places of it the stories reached, and at how many they failed: a
        story counts up to its first mistake.
        """
        verdicts = validity(stories, self.world).verdicts
        used = [word.lower() for story in stories for word in WORD.findall(story)]
        passed = [
            1.0 if verdict.valid else (verdict.broke_at or 0) / max(1, len(story))
            for verdict, story in zip(verdicts, stories, strict=True)
        ]
        places = {kind: [0, 0] for kind in KINDS}
        for story, verdict in zip(stories, verdicts, strict=True):
            for kind, failed in self.places(story, verdict):
                places[kind][0] += 1
                places[kind][1] += failed
        return {
            "words": round(sum(word in self.words for word in used) / max(1, len(used)), 3),
            "passes": round(sum(passed) / len(passed), 3),
            "true": round(sum(verdict.valid for verdict in verdicts) / len(verdicts), 3),
            "places": places,
        }

    def places(self, story: str, verdict: Verdict) -> Iterator[tuple[str, bool]]:
        """Yield the kind of each word of a story up to its first mistake, and whether it is the mistake.

        A word's punctuation belongs to it. A story that is only unfinished has no mistake.
        """
        start = 0
        for word in story.split(" "):
            end = start + len(word)
            broken = not verdict.valid and (verdict.broke_at or 0) <= end
            if broken and verdict.unfinished:
                return
            yield self.kind(story[:start]), broken
            if broken:
                return
            start = end + 1

    def kind(self, beginning: str) -> str:
        """Return the kind of the place after a beginning of a story."""
        allowed = self.allowed(beginning)
        if allowed <= PRONOUNS:
            return "pronoun"
        if len(allowed) > 1:
            return "choice"
        if allowed <= NUMBERS:
            return "number"
        return "memory" if allowed <= words_of(beginning) - self.common else "phrase"

    def allowed(self, beginning: str) -> set[str]:
        """Return the words, in lower case, with which the world may continue a beginning of a story."""
        expected = self.world.check(beginning + "\0").expected
        if set(expected) == {'"'}:  # somebody speaks
            expected = self.world.check(beginning + '"\0').expected
        return {match.group().lower() for text in expected if (match := WORD.search(text))}


def words_of(text: str) -> set[str]:
    return {word.lower() for word in WORD.findall(text)}
