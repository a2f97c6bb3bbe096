"""A grammar whose texts have two parts, a prompt and a completion, with the probability of each.

What the prompt binds (who, what, how many days) the completion uses; so the probability of a completion given
its prompt is that of both over that of the prompt, and both are exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from fmkit.world.grammar import Derivation, Grammar, Rng


class _Recorded:
    """Random numbers that are kept: after `rewind` the same ones come again, and then new ones."""

    def __init__(self, rng: Rng) -> None:
        self.rng, self.drawn, self.next = rng, list[float](), 0

    def random(self) -> float:
        if self.next == len(self.drawn):
            self.drawn.append(self.rng.random())
        self.next += 1
        return self.drawn[self.next - 1]

    def rewind(self, keep: int) -> None:
        """Start again, with only the first `keep` numbers kept."""
        self.next = 0
        del self.drawn[keep:]


class Prompted(Grammar):
    """A grammar of the rules `prompt` and `completion`; a text is prompt, `joint`, completion.

    `prompts` is the grammar of the prompts alone.
    """

    def __init__(self, rules: Mapping[str, Any], joint: str) -> None:
        super().__init__({**rules, "start": "{prompt}" + joint + "{completion}"})
        self.prompts = Grammar({**rules, "start": "{prompt}"})
        self.joint = joint

    def completion_log_prob(self, prompt: str, completion: str) -> float:
        """log p(completion | prompt) in nats; -inf if the grammar has no such pair."""
        asked, both = self.prompts.log_prob(prompt), self.log_prob(prompt + self.joint + completion)
        return both - asked if asked > -math.inf else asked

    def derive_pair(self, rng: Rng) -> tuple[Derivation, Iterator[Derivation]]:
        """A prompt, and as many texts that begin with it as are asked for, each completed on its own.

        The random numbers that made the prompt make it again at the start of each text, because both grammars
        make the same choices in the same order.
        """
        recorded = _Recorded(rng)
        prompt = self.prompts.derive(recorded)
        return prompt, self._completed(recorded, recorded.next)

    def _completed(self, recorded: _Recorded, of_prompt: int) -> Iterator[Derivation]:
        while True:
            recorded.rewind(of_prompt)
            yield self.derive(recorded)
