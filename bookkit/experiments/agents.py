"""An agent with three tools, really run: how many cases it completes, and where the error entered if not.

The agent is a model of the book, which learned from the conversations of `load_cases`. It is tried on cases
like those, and on others: new wordings, numbers of four digits, letters that name two orders, tools that
fail. What it says is compared, step by step, with what an agent without mistakes says after the same results.
Completion is judged by what was done, the refunds and the letters handed on, and by the answer, as in τ-bench
(Yao et al. 2024, arXiv:2406.12045). With a temperature above 0 it is less reliable: what steps of a given
rate make of whole cases, and how often eight attempts of one case all succeed. All of it is done again for
a model that has learned from wider cases.
"""

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tokenizers import Tokenizer

from bookkit.experiments.foundations import committed
from bookkit.experiments.recording import Experiment, experiment
from fmkit.evaluation.episodes import REFUSED, Call, Episode, parse_call, run_episodes, speaker, tokens_used
from fmkit.model import Transformer
from fmkit.world import Case, Desk, draw_case, right_path, right_turn
from fmkit.world.cases import COLLEAGUE, DONE, STATUSES

AGENTS = {"plain": "agent", "wide": "agent-wide"}  # the cases learned from, and the model
ASKED = 200  # cases of a condition
REPEATED, ATTEMPTS = 60, 8  # cases that are tried at a temperature, and how often
TEMPERATURES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
MAX_STEPS = 5
SHOWN = 3  # episodes of each kind of outcome and condition that are kept to be read, of the first draw

Draw = Callable[[random.Random], Case]


def _any_of(*kinds: str, **settings: Any) -> Draw:
    """Draw cases whose kind is one of these, in equal shares."""
    return lambda rng: draw_case(rng, kinds[int(rng.random() * len(kinds))], **settings)


def _failing(tool: str, result: str, *kinds: str) -> Draw:
    """Draw cases in which a tool fails that the right agent calls, and all else goes well."""

    def draw(rng: random.Random) -> Case:
        sure = {
            "absent": 0.0,
            "statuses": ("returned", "lost") if tool == "refund" else [*STATUSES],
        }
        return replace(_any_of(*kinds, **sure)(rng), failing={tool: result})

    return draw


CONDITIONS: dict[str, Draw] = {
    "as in training": draw_case,
    "new wordings": partial(draw_case, new_wording=True),
    "four digits": _any_of("status", "refund", digits=4),
    "five digits": _any_of("status", "refund", digits=5),
    "two orders": _any_of("status", "refund", other="first", absent=0.0, failing={}),
    "two orders, swapped": _any_of("status", "refund", other="last", absent=0.0, failing={}),
    "lookup: error": _failing("lookup", "error", "status", "refund"),
    "lookup: timeout": _failing("lookup", "timeout", "status", "refund"),
    "refund: error": _failing("refund", "error", "refund"),
    "no call needed": _any_of("rule", "thanks"),
    "no call, but a number": _any_of("rule", mention=True),
}


@experiment("agents")
def agents() -> Experiment:
    def train(cases: str, draw: int) -> dict[str, Any]:
        model, tokenizer = committed(AGENTS[cases])
        found = {name: attempt(model, tokenizer, name, draw) for name in CONDITIONS}
        summaries = {name: summary(trials, tokenizer) for name, trials in found.items()}
        traces = [shown(trial, name) for name, trials in found.items() for trial in to_show(trials)]
        return {
            "scores": {name: values["completed"] for name, values in summaries.items()},
            "conditions": summaries,
            "approved": approved(model, tokenizer, draw),
            "temperatures": [sampled(model, tokenizer, draw, each) for each in TEMPERATURES],
            "seconds_per_case": round(seconds_per_case(model, tokenizer), 4),
            **({} if draw else {"traces": traces}),
        }

    about = {"models": AGENTS, "cases": ASKED, "attempts": ATTEMPTS, "max_steps": MAX_STEPS}
    arms = [{"cases": cases, "draw": draw} for cases in AGENTS for draw in range(3)]
    return Experiment(about, train, arms)


# --- trying an agent --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """A case, what the agent did, and the desk as it left it."""

    case: Case
    episode: Episode
    desk: Desk

    @property
    def completed(self) -> bool:
        """Whether the same was done, and the same said in the end, as by an agent without mistakes."""
        messages, right = right_path(self.case)
        done = self.desk.refunds == right.refunds and bool(self.desk.escalations) == bool(right.escalations)
        return done and self.episode.answer == messages[-1]["content"]

    @property
    def wrong_refund(self) -> bool:
        """Whether money was paid back that should not have been."""
        return (
            Counter(self.desk.refunds) > Counter() and self.desk.refunds != right_path(self.case)[1].refunds
        )

    @property
    def right_steps(self) -> int:
        """The number of steps before the first that is wrong; all steps if none is."""
        results: list[str] = []
        for i, step in enumerate(self.episode.steps):
            if step.said != right_turn(self.case, results):
                return i
            results.append(step.result or "")
        return len(self.episode.steps)

    @property
    def needed(self) -> int:
        """The number of steps of an agent without mistakes."""
        return len(right_path(self.case)[0]) // 2

    @property
    def error(self) -> str | None:
        """Where the first error entered; None without one."""
        i = self.right_steps
        if i == len(self.episode.steps):
            return None
        results = [step.result or "" for step in self.episode.steps[:i]]
        return kind_of_error(self.episode.steps[i].said, right_turn(self.case, results), [*results])


def kind_of_error(said: str, right: str, results: Sequence[str]) -> str:
    """What kind of error a turn is, where another one is right after some results."""
    call, wanted = parse_call(said), parse_call(right)
    last = results[-1] if results else None
    if last is not None and not is_success(last):
        return "failed tool"
    if wanted and call and call.name == wanted.name:
        return "wrong argument"
    if last is None:
        return "wrong tool" if wanted else "needless call" if call else "wrong answer"
    return "wrong answer" if not call and words(said) == words(right) else "result misread"


def is_success(result: str) -> bool:
    return result in STATUSES or result in (DONE, "no such order")


def words(text: str) -> str:
    """A text without its numbers."""
    return re.sub(r"\d+", "#", text)


def after_failure(trial: Trial) -> str | None:
    """What the agent did right after a tool had failed; None if none failed."""
    steps = trial.episode.steps
    failed = next((i for i, step in enumerate(steps) if step.result and not is_success(step.result)), None)
    if failed is None:
        return None
    if failed + 1 == len(steps):
        return "reached the limit"
    then = steps[failed + 1]
    if then.call:
        if then.call == steps[failed].call:
            return "repeated"
        return "escalated" if then.call == Call("escalate", ()) else "called something else"
    return "promised a colleague" if then.said == COLLEAGUE else "answered all the same"


def attempt(
    model: Transformer,
    tokenizer: Tokenizer,
    condition: str,
    draw: int = 0,
    approve: bool = False,
    temperature: float = 0.0,
    seed: int = 0,
    count: int = ASKED,
) -> list[Trial]:
    """Let the agent work on cases of a condition; another `draw` has other cases of it.

    With `approve`, a person who makes no mistake has to allow each refund.
    """
    rng = random.Random(f"agents {condition} {draw}")
    cases = [CONDITIONS[condition](rng) for _ in range(count)]
    desks = [Desk(case) for case in cases]
    starts = [[{"role": "user", "content": case.letter}] for case in cases]
    tools = [desk.tools for desk in desks]
    if approve:
        tools = [
            with_approval(desk, right_path(case)[1].refunds) for case, desk in zip(cases, desks, strict=True)
        ]
    speak = speaker(model, tokenizer, temperature=temperature, seed=seed)
    episodes = run_episodes(speak, starts, tools, MAX_STEPS)
    return [Trial(*each) for each in zip(cases, episodes, desks, strict=True)]


def with_approval(desk: Desk, right: Sequence[int]) -> dict[str, Callable[..., str]]:
    """The tools of a desk where a person allows the right refunds alone."""
    return desk.tools | {"refund": lambda order: desk.refund(order) if order in right else REFUSED}


# --- what is recorded -------------------------------------------------------------------------------------


def share(found: Any) -> float:
    found = list(found)
    return round(sum(map(bool, found)) / len(found), 4) if found else 0.0


def step_rate(trials: Sequence[Trial]) -> float:
    """The share of right steps among those before which nothing went wrong."""
    right = sum(trial.right_steps for trial in trials)
    return right / (right + sum(trial.error is not None for trial in trials))


def summary(trials: Sequence[Trial], tokenizer: Tokenizer) -> dict[str, Any]:
    """The measures of the trials of a condition, as shares of all cases unless they are named otherwise."""
    calls = [(trial, trial.episode.calls) for trial in trials]
    wanted = [[parse_call(m["content"]) for m in right_path(t.case)[0][1::2]] for t in trials]
    named = [[call.name for call in right if call] for right in wanted]
    used = [tokens_used(trial.episode, tokenizer) for trial in trials]
    first = [
        (t.episode.calls[0], right[0])
        for t, right in zip(trials, wanted, strict=True)
        if right[0] and t.episode.calls
    ]
    n = len(trials)
    return {
        "completed": share(t.completed for t in trials),
        "right_tools": share(
            [c.name for c in made] == right for (_, made), right in zip(calls, named, strict=True)
        ),
        "right_argument": share(call == right for call, right in first if call.name == right.name),
        "needless_calls": share(
            len(made) > len(right) for (_, made), right in zip(calls, named, strict=True)
        ),
        "wrong_refunds": share(t.wrong_refund for t in trials),
        "no_answer": share(t.episode.answer is None for t in trials),
        "steps": round(sum(len(t.episode.steps) for t in trials) / n, 3),
        "tokens_read": round(sum(read for read, _ in used) / n, 1),
        "tokens_written": round(sum(written for _, written in used) / n, 1),
        "steps_right": round(step_rate(trials), 4),
        "errors": dict(Counter(t.error for t in trials if t.error)),
        "after_failure": dict(Counter(done for t in trials if (done := after_failure(t)))),
        "by_needed": by_needed(trials),
    }


def approved(model: Transformer, tokenizer: Tokenizer, draw: int) -> dict[str, Any]:
    """Letters that name two orders, when a person has to allow each refund."""
    trials = attempt(model, tokenizer, "two orders", draw, approve=True)
    results = [[step.result for step in t.episode.steps] for t in trials]
    asked = [any(call.name == "refund" for call in t.episode.calls) for t in trials]
    refused = [t for t, seen in zip(trials, results, strict=True) if REFUSED in seen]
    return {
        "completed": share(t.completed for t in trials),
        "wrong_refunds": share(t.wrong_refund for t in trials),
        "asked": share(asked),
        "refused": round(len(refused) / len(trials), 4),
        "after_refusal": dict(Counter(done for t in refused if (done := after_failure(t)))),
    }


def sampled(model: Transformer, tokenizer: Tokenizer, draw: int, temperature: float) -> dict[str, Any]:
    """Attempts at the same cases with a temperature: the rate of right steps, of completed cases, and of
    cases that all attempts complete."""
    tried = [
        attempt(model, tokenizer, "as in training", draw, temperature=temperature, seed=seed, count=REPEATED)
        for seed in range(ATTEMPTS if temperature else 1)
    ]
    every = [trial for trials in tried for trial in trials]
    return {
        "temperature": temperature,
        "steps_right": round(step_rate(every), 4),
        "completed": share(trial.completed for trial in every),
        "always": share(all(trial.completed for trial in same) for same in zip(*tried, strict=True)),
        "by_needed": by_needed(every),
    }


def by_needed(trials: Sequence[Trial]) -> dict[str, list[int]]:
    """By the number of steps that cases need: how many were completed, and how many there were."""
    lengths = sorted({trial.needed for trial in trials})
    grouped = {n: [trial for trial in trials if trial.needed == n] for n in lengths}
    return {str(n): [sum(t.completed for t in those), len(those)] for n, those in grouped.items()}


def seconds_per_case(model: Transformer, tokenizer: Tokenizer, count: int = 20) -> float:
    """CPU seconds of one case after the other."""
    rng, speak = random.Random("agents, timed"), speaker(model, tokenizer)
    cases = [draw_case(rng) for _ in range(count)]
    started = time.process_time()
    for case in cases:
        run_episodes(speak, [[{"role": "user", "content": case.letter}]], [Desk(case).tools], MAX_STEPS)
    return (time.process_time() - started) / count


def to_show(trials: Sequence[Trial]) -> list[Trial]:
    """Some trials with each kind of error, and some without."""
    kept: list[Trial] = []
    for kind in dict.fromkeys(trial.error for trial in trials):
        kept += [trial for trial in trials if trial.error == kind][:SHOWN]
    return kept


def shown(trial: Trial, condition: str) -> dict[str, Any]:
    """A trial as it is kept in the record, with what should have been said."""
    return {
        "condition": condition,
        "letter": trial.case.letter,
        "table": {str(order): status for order, status in trial.case.table.items()},
        "failing": dict(trial.case.failing),
        "steps": [
            [step.said] + ([step.result] if step.result is not None else []) for step in trial.episode.steps
        ],
        "right": [message["content"] for message in right_path(trial.case)[0][1:]],
        "right_steps": trial.right_steps,
        "error": trial.error,
        "completed": trial.completed,
    }
