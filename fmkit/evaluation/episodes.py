"""Episodes of an agent: a model that calls tools by writing calls, and what came of each.

A turn of the model that has the form of a call, `lookup(417)`, is run, and its result goes back as a turn of
the user that begins with `result:`. Any other turn is the answer and ends the episode. Whatever goes wrong
with a call is a result, too, so that the model can do something about it (Yao et al. 2022, arXiv:2210.03629).
"""

import ast
import inspect
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tokenizers import Tokenizer

from fmkit.data.chat import Message, chat_prompt, end_ids
from fmkit.data.tokenizer import as_tokenizer
from fmkit.errors import FmkitError
from fmkit.evaluation.sampling import complete
from fmkit.generation import require_writer
from fmkit.model import Transformer

LONGEST_CALL = 200  # characters; a longer text is no call that a small tool could want
CALL = re.compile(r"\s*([A-Za-z_]\w*)\(.*\)\s*", re.DOTALL | re.ASCII)
FAILED, NO_TOOL, BAD_ARGUMENTS, REFUSED = "error", "no such tool", "bad arguments", "not allowed"

Tools = Mapping[str, Callable[..., Any]]
Speaker = Callable[[list[list[Message]]], list[str]]  # the next turn in each of some conversations


@dataclass(frozen=True)
class Call:
    """A call that a model wrote: the tool's name, and its arguments, or None if they are not literals."""

    name: str
    arguments: tuple[Any, ...] | None


@dataclass(frozen=True)
class Step:
    """What the model said; the call in it, if it is one, and the result that the model saw then."""

    said: str
    call: Call | None = None
    result: str | None = None


@dataclass
class Episode:
    """The conversation that an agent was given, and its steps. The last one is the answer, or the limit of
    steps was reached."""

    start: list[Message]
    steps: list[Step] = field(default_factory=list)

    @property
    def answer(self) -> str | None:
        """What the customer is told; None if the agent never came to an answer."""
        return self.steps[-1].said if self.steps and self.steps[-1].call is None else None

    @property
    def calls(self) -> list[Call]:
        return [step.call for step in self.steps if step.call]

    @property
    def messages(self) -> list[Message]:
        """The whole conversation, with the results as the model saw them."""
        return self.before(len(self.steps))

    def before(self, step: int) -> list[Message]:
        """The conversation that the model saw before a step, counted from 0."""
        messages = list(self.start)
        for done in self.steps[:step]:
            messages.append({"role": "assistant", "content": done.said})
            if done.result is not None:
                messages.append({"role": "user", "content": f"result: {done.result}"})
        return messages


def parse_call(text: str) -> Call | None:
    """Read `name(argument, …)` as a call; None for a text of another form.

    Arguments are Python literals: numbers, texts, lists. They are read by `ast.literal_eval`, never run.
    """
    found = CALL.fullmatch(text) if len(text) <= LONGEST_CALL else None
    if not found:
        return None
    name, unread = found[1], Call(found[1], None)
    try:
        with warnings.catch_warnings(action="ignore"):  # of the parser, about odd literals
            node = ast.parse(text.strip(), mode="eval").body
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.keywords:
                return unread
            return Call(name, tuple(map(ast.literal_eval, node.args)))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return unread


def run_call(call: Call, tools: Tools, approve: Callable[[Call], bool] | None = None) -> str:
    """Run a call, and return its result as text. Only what `tools` names is run.

    An unknown tool, arguments that do not fit it, a call that `approve` does not allow and a tool that raises
    are results as well; see the constants of this module.
    """
    if call.name not in tools:
        return NO_TOOL
    tool = tools[call.name]
    if call.arguments is None or not _fits(tool, call.arguments):
        return BAD_ARGUMENTS
    if approve and not approve(call):
        return REFUSED
    try:
        return str(tool(*call.arguments))
    except Exception:  # a tool may fail in any way, and the agent goes on
        return FAILED


def _fits(tool: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
    try:
        inspect.signature(tool).bind(*arguments)
    except TypeError:
        return False
    return True


def run_episodes(
    speak: Speaker,
    starts: Sequence[Sequence[Message]],
    toolboxes: Sequence[Tools],
    max_steps: int = 5,
    approve: Callable[[Call], bool] | None = None,
) -> list[Episode]:
    """Let an agent work on some conversations, each with tools of its own, for `max_steps` turns at most.

    `speak` returns the next turn for each of the conversations it is given. Raises `FmkitError` for a limit
    below 1, and where conversations and toolboxes differ in number.
    """
    if max_steps < 1:
        raise FmkitError(f"max_steps={max_steps}: let the agent say something, 1 or more")
    if len(starts) != len(toolboxes):
        raise FmkitError(f"{len(starts)} conversations and {len(toolboxes)} toolboxes: give one for each")
    episodes = [Episode(list(start)) for start in starts]
    for _ in range(max_steps):
        going = [i for i, episode in enumerate(episodes) if not episode.steps or episode.steps[-1].call]
        if not going:
            break
        turns = speak([episodes[i].messages for i in going])
        for i, said in zip(going, turns, strict=True):
            call = parse_call(said)
            result = run_call(call, toolboxes[i], approve) if call else None
            episodes[i].steps.append(Step(said, call, result))
    return episodes


def run_episode(
    speak: Speaker,
    letter: str,
    tools: Tools,
    max_steps: int = 5,
    approve: Callable[[Call], bool] | None = None,
) -> Episode:
    """Let an agent work on one message of a user; see `run_episodes`."""
    (episode,) = run_episodes(speak, [[{"role": "user", "content": letter}]], [tools], max_steps, approve)
    return episode


def speaker(
    model: Transformer,
    tokenizer: Tokenizer,
    max_new_tokens: int = 40,
    temperature: float = 0.0,
    seed: int = 0,
) -> Speaker:
    """A model that answers conversations: with its likeliest turn, or sampled with a `temperature`.

    It says nothing, which ends an episode, where a conversation fills its context.
    """
    require_writer(model)
    tokenizer = as_tokenizer(tokenizer)
    ends, context = end_ids(tokenizer), model.config.max_position_embeddings

    def speak(conversations: list[list[Message]]) -> list[str]:
        prompts = [chat_prompt(messages, tokenizer) for messages in conversations]
        short = [i for i, prompt in enumerate(prompts) if len(prompt) < context]
        said = [""] * len(prompts)
        if short:
            turns = complete(model, [prompts[i] for i in short], max_new_tokens, ends, temperature, seed)
            for i, ids in zip(short, turns, strict=True):
                said[i] = tokenizer.decode(ids)
        return said

    return speak


def tokens_used(episode: Episode, tokenizer: Tokenizer) -> tuple[int, int]:
    """Count the tokens of an episode that were read and written.

    Each step reads the conversation so far anew, as a call of a model's API does.
    """
    read = sum(len(chat_prompt(episode.before(i), tokenizer)) for i in range(len(episode.steps)))
    said = (tokenizer.encode(step.said, add_special_tokens=False).ids for step in episode.steps)
    return read, sum(len(ids) + 1 for ids in said)
