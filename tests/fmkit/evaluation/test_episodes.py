"""Episodes: what a model writes runs named tools and nothing else, and every failure is a result."""

import builtins
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmkit import Transformer, asset
from fmkit.data.chat import Message, add_chat_tokens, chat_prompt
from fmkit.data.tokenizer import load_tokenizer
from fmkit.errors import FmkitError
from fmkit.evaluation.episodes import (
    BAD_ARGUMENTS,
    FAILED,
    LONGEST_CALL,
    NO_TOOL,
    REFUSED,
    Call,
    Episode,
    Step,
    parse_call,
    run_call,
    run_episode,
    run_episodes,
    speaker,
    tokens_used,
)

TABLE = {417: "shipped"}
TOOLS: dict[str, Callable[..., Any]] = {"lookup": lambda order: TABLE[order], "stop": lambda: "done"}
HOSTILE = (
    "__import__('os').system('echo')",
    "lookup(__import__('os').getcwd())",
    "lookup(exit())",
    "lookup((lambda: 1)())",
    "lookup([x for x in (1,)])",
    "lookup(*(417,))",
    "lookup(order=417)",
    "lookup(417)(0)",
    "lookup(417).real(1)",
    "lookup(417) or stop()",
    "lookup(417); stop()",
    "lookup(f'{417}')",
    "lookup(" + "-" * 180 + "x)",
)


def scripted(*turns: str) -> Callable[[list[list[Message]]], list[str]]:
    """A speaker that says its turns one after the other, in each conversation."""
    return lambda talks: [turns[sum(m["role"] == "assistant" for m in talk)] for talk in talks]


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("lookup(417)", Call("lookup", (417,))),
        (" find('a b', [1, 2], -3.5)\n", Call("find", ("a b", [1, 2], -3.5))),
        ("stop()", Call("stop", ())),
        ("lookup(order)", Call("lookup", None)),
        ("lookup(041)", Call("lookup", None)),
        ("Order 417 was shipped.", None),
        ("I call lookup(417)", None),
        ("lookup(417", None),
        ("", None),
        (f"lookup('{'x' * LONGEST_CALL}')", None),
    ],
)
def test_a_call_is_read(text: str, call: Call | None) -> None:
    assert parse_call(text) == call


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_runs_nothing(text: str) -> None:
    ran: list[Any] = []
    call = parse_call(text)
    if call:
        assert run_call(call, {"lookup": ran.append, "stop": lambda: ran.append(0)}) in (
            BAD_ARGUMENTS,
            NO_TOOL,
        )
    assert not ran


PIECES = ["lookup", "stop", "eval", "open", "print", "(", ")", "417", ",", "'", "*", ".", "=", " "]


@given(
    st.text()
    | st.from_regex(r"[a-z_]{1,8}\(.{0,40}\)", fullmatch=True)
    | st.lists(st.sampled_from(PIECES)).map("".join)
)
def test_only_named_tools_ever_run(text: str) -> None:
    """And whatever the model writes, it gets a text back."""
    called: list[str] = []
    watched = {name: getattr(builtins, name) for name in ("eval", "exec", "open", "print", "input")}
    for name in watched:
        setattr(builtins, name, lambda *_, name=name: called.append(name))
    try:
        call = parse_call(text)
        result = run_call(call, TOOLS) if call else ""
    finally:
        for name, function in watched.items():
            setattr(builtins, name, function)
    assert not called
    assert result in ("", "shipped", "done", FAILED, NO_TOOL, BAD_ARGUMENTS)


@given(st.lists(st.integers() | st.text(max_size=10) | st.booleans() | st.none(), max_size=4))
def test_literals_come_back_as_written(arguments: list[Any]) -> None:
    text = f"tool({', '.join(map(repr, arguments))})"
    if len(text) <= LONGEST_CALL:
        assert parse_call(text) == Call("tool", tuple(arguments))


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (Call("lookup", (417,)), "shipped"),
        (Call("lookup", (999,)), FAILED),  # the tool raises
        (Call("lookup", ()), BAD_ARGUMENTS),
        (Call("lookup", (1, 2)), BAD_ARGUMENTS),
        (Call("lookup", None), BAD_ARGUMENTS),
        (Call("refund", (417,)), NO_TOOL),
    ],
)
def test_every_failure_is_a_result(call: Call, result: str) -> None:
    assert run_call(call, TOOLS) == result


def test_what_is_not_approved_is_not_run() -> None:
    ran: list[int] = []
    call = Call("refund", (417,))
    assert run_call(call, {"refund": ran.append}, approve=lambda call: call.name != "refund") == REFUSED
    assert not ran


def test_results_are_seen_and_answers_end() -> None:
    episode = run_episode(scripted("lookup(417)", "It was shipped."), "Where is 417?", TOOLS)
    assert episode.messages == [
        {"role": "user", "content": "Where is 417?"},
        {"role": "assistant", "content": "lookup(417)"},
        {"role": "user", "content": "result: shipped"},
        {"role": "assistant", "content": "It was shipped."},
    ]
    assert episode.answer == "It was shipped."
    assert episode.calls == [Call("lookup", (417,))]


def test_the_limit_of_steps_ends_an_episode() -> None:
    episode = run_episode(scripted(*["lookup(417)"] * 9), "Where?", TOOLS, max_steps=3)
    assert [step.result for step in episode.steps] == ["shipped"] * 3
    assert episode.answer is None


def test_together_is_as_one_by_one() -> None:
    letters = [[{"role": "user", "content": letter}] for letter in ("a", "b")]
    speak = scripted("stop()", "lookup(417)", "Done.")
    together = run_episodes(speak, letters, [TOOLS, {}])
    assert [[step.result for step in each.steps] for each in together] == [
        ["done", "shipped", None],
        [NO_TOOL, NO_TOOL, None],
    ]
    assert together[0] == run_episode(speak, "a", TOOLS)


def test_wrong_limits_are_refused() -> None:
    with pytest.raises(FmkitError, match="max_steps=0"):
        run_episode(scripted(), "a", TOOLS, max_steps=0)
    with pytest.raises(FmkitError, match="1 conversations and 0 toolboxes"):
        run_episodes(scripted(), [[{"role": "user", "content": "a"}]], [])


def test_a_model_speaks_as_it_does_alone() -> None:
    """And says nothing, which ends the episode, where a conversation leaves it no room."""
    model = Transformer.from_pretrained(asset("models/assistant"))
    assert model.tokenizer
    speak = speaker(model, model.tokenizer, max_new_tokens=5)
    talks: list[list[Message]] = [
        [{"role": "user", "content": text}] for text in ("Hi!", "b " * 300, "Hello.")
    ]
    first, none, last = speak(talks)
    assert (first, none, last) == (*speak(talks[:1]), "", *speak(talks[2:]))
    assert last


def test_each_step_reads_all_that_was_said() -> None:
    tokenizer = add_chat_tokens(load_tokenizer(asset("models/base")))
    episode = Episode([{"role": "user", "content": "a"}], [Step("stop()", Call("stop", ()), "ok"), Step("b")])
    read = [len(chat_prompt(episode.before(i), tokenizer)) for i in range(2)]
    said = [len(tokenizer.encode(text, add_special_tokens=False).ids) + 1 for text in ("stop()", "b")]
    assert tokens_used(episode, tokenizer) == (sum(read), sum(said))
    assert read[1] > read[0]
