"""A grammar whose texts have two parts, a prompt and a completion, with the probability of each.

What the prompt binds (who, what, how many days) the completion uses; so the probability of a completion given
its prompt is that of both over that of the prompt, and both are exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from fmkit.world.stories import Derivation, Grammar, Rng

__all__ = ["Prompted"]


class _Recorded:
    """Dice that are thrown once: a replay throws the recorded ones again, and then new ones."""

    def __init__(self, rng: Rng) -> None:
        self.rng, self.thrown, self.next = rng, list[float](), 0

    def random(self) -> float:
        if self.next == len(self.thrown):
            self.thrown.append(self.rng.random())
        self.next += 1
        return self.thrown[self.next - 1]

    def rewind(self, to: int) -> None:
        """Start again, with only the first `to` throws recorded."""
        self.next = 0
        del self.thrown[to:]


class Prompted(Grammar):
    """A grammar of the rules `prompt` and `completion`; a text is prompt, `joint`, completion.

    `prompts` is the grammar of the prompts alone.
    """

    def __init__(self, rules: Mapping[str, Any], joint: str) -> None:
        super().__init__({**rules, "start": "{prompt}" + joint + "{completion}"})
        self.prompts = Grammar({**rules, "start": "{prompt}"})
        self.joint = joint

    def completion_log_prob(self, prompt: str, completion: str) -> float:
        """log p(completion | prompt) in nats; -inf where the two are no prompt and completion of these."""
        asked, both = self.prompts.log_prob(prompt), self.log_prob(prompt + self.joint + completion)
        return both - asked if asked > -math.inf else asked

    def derive_pair(self, rng: Rng) -> tuple[Derivation, Iterator[Derivation]]:
        """A prompt, and as many texts that begin with it as are asked for, each completed on its own.

        The dice that told the prompt tell it again at the start of each text: both grammars make the same
        choices in the same order.
        """
        dice = _Recorded(rng)
        prompt = self.prompts.derive(dice)
        return prompt, self._completed(dice, dice.next)

    def _completed(self, dice: _Recorded, thrown: int) -> Iterator[Derivation]:
        while True:
            dice.rewind(thrown)
            yield self.derive(dice)
