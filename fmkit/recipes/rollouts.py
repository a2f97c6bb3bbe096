"""Batches that the model itself writes: it answers prompts, and a reward says how good each answer is."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor

from fmkit.data.batches import Batch, Shuffled
from fmkit.data.chat import decode_next, end_ids
from fmkit.data.tokenizer import PAD, special_id
from fmkit.errors import FmkitError
from fmkit.evaluation.sampling import answered
from fmkit.generation import before_end, generate_ids
from fmkit.model import Classifier, Transformer
from fmkit.objectives import sampling_log_probs
from fmkit.parallel import gather, rank, size

Row = dict[str, Any]  # prompt, a text or messages, and its input_ids
RewardFunction = Callable[[list[Any], list[str]], Sequence[float]]  # of prompts and an answer to each


class Sampler:
    """Has a model answer prompts, and a reward score the answers."""

    def __init__(
        self, model: Transformer, reward: Classifier | RewardFunction, max_new_tokens: int, seed: int
    ) -> None:
        assert model.tokenizer is not None
        self.model, self.reward, self.tokenizer = model, reward, model.tokenizer
        self.max_new_tokens, self.seed = max_new_tokens, seed
        self.ends, self.pad = end_ids(self.tokenizer), special_id(self.tokenizer, PAD)

    def __call__(self, rows: list[Row], first: int, temperature: float) -> tuple[Batch, Tensor]:
        """Answer B prompts once each; returns the batch of `answered` and the rewards (B,).

        The answers have the numbers from `first` on (see `generate_ids`). Of several processes, each answers
        and scores its share, and all return the whole. Raises `FmkitError` for rewards that are not a finite
        number for each answer.
        """
        mine, numbers = rows[rank() :: size()], range(first, first + len(rows))[rank() :: size()]
        answers = self._answer(mine, numbers, temperature) if mine else []
        rewards = self._score(mine, answers).tolist() if mine else []
        shares = gather(list(zip(answers, rewards, strict=True)))
        together = [shares[i % size()][i // size()] for i in range(len(rows))]
        batch = self._collate(rows, [answer for answer, _ in together])
        return batch, torch.tensor([reward for _, reward in together], device=self.model.device)

    def _answer(self, rows: list[Row], numbers: range, temperature: float) -> list[list[int]]:
        how: Row = {"seed": self.seed, "eos_id": self.ends, "numbers": numbers, "keep_end": True}
        prompts = [row["input_ids"] for row in rows]
        return generate_ids(self.model, prompts, self.max_new_tokens, temperature, **how)

    def _collate(self, rows: list[Row], answers: list[list[int]]) -> Batch:
        return answered(self.model, [row["input_ids"] for row in rows], answers, self.pad)

    @torch.no_grad()
    def _score(self, rows: list[Row], answers: list[list[int]]) -> Tensor:
        if isinstance(self.reward, Classifier):
            batch = self._collate(rows, answers)
            rewards = self.reward(batch["input_ids"], batch["last"]).float().squeeze(-1)
        else:
            said = [self._text(row, answer) for row, answer in zip(rows, answers, strict=True)]
            found = self.reward([row["prompt"] for row in rows], said)
            try:
                rewards = torch.tensor(list(found), dtype=torch.float32, device=self.model.device)
            except (TypeError, ValueError):
                raise FmkitError(f"the reward must be a number for each answer, not {found!r:.60}") from None
        if rewards.shape != (len(answers),) or not rewards.isfinite().all():
            raise FmkitError("the reward must be one finite number for each answer")
        return rewards

    def _text(self, row: Row, answer: list[int]) -> str:
        answer = before_end(answer, self.ends)
        if isinstance(row["prompt"], str):
            return decode_next(row["input_ids"], answer, self.tokenizer)
        return self.tokenizer.decode(answer)


class Rollouts:
    """Endless batches of answers that the model gives as it is now, `num_generations` to each prompt.

    Prompts come once an epoch, in a new order each epoch. Beside what `answered` collates, a batch has the
    answers' `advantages` (B,) and `old_log_probs` (B, T); `num_items` counts answers. What is sampled depends
    on the model's weights, the seed, and how many answers came before, so a resumed run samples the same.
    """

    def __init__(
        self,
        prompts: Dataset,
        sampler: Sampler,
        batch_size: int,
        num_generations: int,
        temperature: float,
        scale_rewards: bool,
    ) -> None:
        self.source, self.sampler = Shuffled(prompts, sampler.seed), sampler
        self.batch_size, self.num_generations = batch_size, num_generations
        self.temperature, self.scale_rewards = temperature, scale_rewards
        self.answers = 0  # so far

    def __next__(self) -> Batch:
        asked = [next(self.source) for _ in range(self.batch_size // self.num_generations)]
        rows = [row for row in asked for _ in range(self.num_generations)]
        batch, rewards = self.sampler(rows, self.answers, self.temperature)
        self.answers += len(rows)
        with torch.no_grad():
            old = sampling_log_probs(self.sampler.model, batch, self.temperature)
        advantages = group_advantages(rewards.view(-1, self.num_generations), self.scale_rewards)
        more = {"num_items": len(rows), "advantages": advantages.flatten(), "old_log_probs": old}
        return {**batch, **more}

    def state_dict(self) -> dict[str, Any]:
        return {"prompts": self.source.state_dict(), "answers": self.answers}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.source.load_state_dict(state["prompts"])
        self.answers = state["answers"]


def group_advantages(rewards: Tensor, scale_rewards: bool = True) -> Tensor:
    """Compute how much better each answer is than its group, from rewards (groups, answers).

    The difference from the group's mean, divided by its standard deviation if `scale_rewards` (Shao et al.
    2024, arXiv:2402.03300, section 4.1.2). Unscaled, questions whose answers are nearly all alike weigh no
    more than others (Liu et al. 2025, arXiv:2503.20783, section 3.1).
    """
    advantages = rewards - rewards.mean(1, keepdim=True)
    return advantages / (rewards.std(1, keepdim=True) + 1e-4) if scale_rewards else advantages
