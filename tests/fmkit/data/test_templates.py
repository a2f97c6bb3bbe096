"""Promises of foreign chat templates: read as transformers reads them, learned where the assistant speaks."""

from pathlib import Path
from typing import Any

import pytest
from chat_families import CHATML, FAMILIES, GEMMA, LLAMA_2, MARKED, TALK, write
from datasets import Dataset, load_dataset
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from fmkit.data.batches import IGNORE
from fmkit.data.chat import add_chat_tokens, chat_prompt, encode_chat, end_ids
from fmkit.data.example_batches import collate_pairs, pair_prompts, tokenize_completions, tokenize_pairs
from fmkit.data.examples import write_examples
from fmkit.data.tokenizer import load_tokenizer, save_tokenizer
from fmkit.errors import FmkitError


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def directory(family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp(family), family)


@pytest.fixture(scope="module")
def tokenizer(directory: Path) -> Tokenizer:
    return load_tokenizer(directory)


@pytest.fixture(scope="module")
def theirs(directory: Path) -> Any:
    return AutoTokenizer.from_pretrained(directory)


def talks(family: str) -> list[list[dict[str, str]]]:
    """With a system message, where the template has one, and without."""
    return [TALK[1:], TALK[1:3]] + [TALK] * (family != "gemma")


def message(call: Any, *arguments: Any) -> str:
    with pytest.raises(FmkitError) as caught:
        call(*arguments)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def refusal(template: str, talk: Any, tmp_path: Path, call: Any = encode_chat) -> str:
    """What is said of a conversation for a model like ChatML's with another template."""
    return message(call, talk, load_tokenizer(write(tmp_path, "chatml", chat_template=template)))


def test_a_prompt_is_that_of_transformers(family: str, tokenizer: Tokenizer, theirs: Any) -> None:
    for talk in talks(family):
        asked = theirs.apply_chat_template(talk[:-1], add_generation_prompt=True)["input_ids"]
        assert chat_prompt(talk[:-1], tokenizer) == asked


def test_only_the_assistants_words_count(family: str, tokenizer: Tokenizer, theirs: Any) -> None:
    closing = FAMILIES[family][3]
    for talk in talks(family):
        ids, labels = encode_chat(talk, tokenizer)
        assert ids == theirs.apply_chat_template(talk)["input_ids"]
        assert all(label in (IGNORE, token) for token, label in zip(ids, labels, strict=True))
        said = theirs.decode([label for label in labels if label != IGNORE]).replace(" ", "")
        answers = [turn["content"] for turn in talk if turn["role"] == "assistant"]
        assert said == "".join(answer + closing for answer in answers).replace(" ", "")
        asked = chat_prompt(talk[:-1], tokenizer)
        assert labels[len(asked) - 1] == IGNORE != labels[len(asked)]
        assert ids[: len(asked)] == asked
        assert encode_chat(talk, tokenizer, mask_prompt=False) == (ids, ids)


def test_marks_are_those_of_transformers(tmp_path: Path) -> None:
    tokenizer, theirs = load_tokenizer(write(tmp_path, "marked")), AutoTokenizer.from_pretrained(tmp_path)
    given = theirs.apply_chat_template(TALK, return_dict=True, return_assistant_tokens_mask=True)
    ids, labels = encode_chat(TALK, tokenizer)
    assert given["input_ids"] == ids
    assert given["assistant_masks"] == [int(label != IGNORE) for label in labels]


def test_more_marks_than_answers(tmp_path: Path) -> None:
    template = MARKED.replace(
        "{{ '\n' }}{% endfor %}", "{% generation %}{{ '\n' }}{% endgeneration %}{% endfor %}"
    )
    ours = load_tokenizer(write(tmp_path, "marked", chat_template=template))
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    given = theirs.apply_chat_template(TALK, return_dict=True, return_assistant_tokens_mask=True)
    _, labels = encode_chat(TALK, ours)
    assert given["assistant_masks"] == [int(label != IGNORE) for label in labels]
    assert "some perhaps of weight 0" in message(encode_chat, [*TALK[:4], {**TALK[4], "weight": 0}], ours)


def test_weight_zero_in_a_foreign_template(family: str, tokenizer: Tokenizer) -> None:
    ids, labels = encode_chat(TALK[1:], tokenizer)
    weighted = [TALK[1], {**TALK[2], "weight": 0}, *TALK[3:]]
    first = len(chat_prompt(TALK[1:4], tokenizer))
    assert encode_chat(weighted, tokenizer) == (ids, [IGNORE] * first + labels[first:])


def test_foreign_files_are_saved_unchanged(
    family: str, tokenizer: Tokenizer, theirs: Any, tmp_path: Path
) -> None:
    save_tokenizer(tokenizer, tmp_path)
    again, ours = AutoTokenizer.from_pretrained(tmp_path), load_tokenizer(tmp_path)
    assert again.special_tokens_map == theirs.special_tokens_map
    assert again.get_vocab() == theirs.get_vocab()
    for talk in talks(family):
        for how in ({"tokenize": False}, {"tokenize": False, "add_generation_prompt": True}):
            assert again.apply_chat_template(talk, **how) == theirs.apply_chat_template(talk, **how)
        assert encode_chat(talk, ours) == encode_chat(talk, tokenizer)
    assert add_chat_tokens(ours).to_str() == ours.to_str()
    assert encode_chat(TALK[1:], add_chat_tokens(ours)) == encode_chat(TALK[1:], tokenizer)


def test_what_closes_an_answer_ends_it(family: str, tokenizer: Tokenizer) -> None:
    _, _, roles, closing = FAMILIES[family]
    wanted = dict.fromkeys((closing, roles["eos_token"]))
    assert [tokenizer.id_to_token(end) for end in end_ids(tokenizer)] == list(wanted)


@pytest.mark.parametrize("file", ["generation_config.json", "config.json"])
def test_ends_that_the_model_names(file: str, tmp_path: Path) -> None:
    write(tmp_path, "llama-3")
    (tmp_path / file).write_text('{"eos_token_id": [1, 4, 3]}')
    assert end_ids(load_tokenizer(tmp_path)) == (4, 1, 3)


def test_another_template_is_encoded_anew(tmp_path: Path) -> None:
    write_examples(Dataset.from_list([{"messages": TALK[1:]}]), tmp_path / "talk.jsonl")
    data = load_dataset("json", data_files=str(tmp_path / "talk.jsonl"), cache_dir=str(tmp_path / "cache"))
    for template in (CHATML, CHATML.replace("helpful", "short")):
        ours = load_tokenizer(write(tmp_path, "chatml", chat_template=template))
        (row,) = tokenize_completions(data["train"], ours, 500)
        assert row["input_ids"] == encode_chat(TALK[1:], ours)[0]


def test_what_is_judged_ends_with_its_answer(tokenizer: Tokenizer) -> None:
    pair = {"prompt": TALK[1:2], "chosen": TALK[2:3], "rejected": TALK[4:5]}
    (row,) = tokenize_pairs(Dataset.from_list([pair]), tokenizer, 500)
    for side in ("chosen", "rejected"):
        assert row[side]["input_ids"][-1] == row[side]["labels"][-1] == end_ids(tokenizer)[0]
        assert pair_prompts(collate_pairs([row], 0)) == [chat_prompt(TALK[1:2], tokenizer)]


NAMED = [{"name": "default", "template": CHATML}, {"name": "tool_use", "template": "{{ bos_token }}"}]


@pytest.mark.parametrize("form", ["text", "list", "file", "files"])
def test_where_a_template_may_be(form: str, tmp_path: Path) -> None:
    given = {"text": CHATML, "list": NAMED}.get(form, "{{ 'old' }}")
    write(tmp_path, "chatml", chat_template=given)
    if form.startswith("file"):
        (tmp_path / "chat_template.jinja").write_text(CHATML)
    if form == "files":
        (tmp_path / "additional_chat_templates").mkdir()
        (tmp_path / "additional_chat_templates/rag.jinja").write_text("{{ eos_token }}")
    theirs, ours = AutoTokenizer.from_pretrained(tmp_path), load_tokenizer(tmp_path)
    assert theirs.apply_chat_template(TALK)["input_ids"] == encode_chat(TALK, ours)[0]
    save_tokenizer(ours, tmp_path / "again")
    assert AutoTokenizer.from_pretrained(tmp_path / "again").chat_template == theirs.chat_template


REASONING = CHATML.replace("m.content", "(m.content if loop.last else m.content.split('</think>')[-1])")
THOUGHT = [{**turn, "content": turn["content"].replace("It", "<think>Hm</think>It")} for turn in TALK]
HEADER = CHATML.replace("{% if add_generation_prompt %}", "{% if add_generation_prompt %}{{ 'Now: ' }}")
WITHOUT_END = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}"


@pytest.mark.parametrize(
    ("template", "talk", "wanted"),
    [
        (REASONING, THOUGHT, "messages[2]: the model's chat template leaves out what the assistant says"),
        (HEADER, TALK, "messages[2], '"),
        (CHATML, [TALK[1], {"role": "assistant", "content": "\n\nNo."}], "messages[1]"),
        ("{{ strftime_now('%d %b %Y') }}" + CHATML, TALK, "today's date"),
        (GEMMA, TALK, "System role not supported"),
        (LLAMA_2.replace("bos_token + ", ""), [TALK[1], TALK[1]], "Roles must alternate"),
        (WITHOUT_END, TALK, "no special token after an answer"),
        (MARKED.replace("generation %}", "generation -%}", 1), [TALK[1]], "the assistant says nothing"),
        ("{% generation %}a{% endgeneration %}" + CHATML, TALK, "marks 1 parts of 2 answers"),
        (
            CHATML.replace(
                "{{ '<|im_start|>' + m.role", "{% if m.role != 'system' %}{{ '<|im_start|>' + m.role"
            ).replace("{% endfor %}", "{% endif %}{% endfor %}"),
            TALK,
            "leaves out what the system says",
        ),
        (CHATML.replace("m.content", "(m.content.text or '')"), TALK, "leaves out what the system says"),
        (CHATML.replace("m.content", "(m.content if m.role[0] != 'a' else '')"), TALK, "the assistant says"),
        (CHATML.replace("assistant\n'", "assistant\n<think>'"), TALK, "messages[2], '"),
        ("{% for %}", TALK, "does not take these messages"),
        ("{{ 1 / 0 }}", TALK, "does not take these messages"),
        ("{{ messages.missing.content }}", TALK, "does not take these messages"),
        ([{"name": "rag", "template": CHATML}], TALK, "call one of them default"),
        (CHATML, [TALK[1], {"role": "assistant", "content": "No.<|im_end|>"}], "messages[1].content: holds"),
        (CHATML, [TALK[1], {"role": "assistant", "content": "\ud800"}], "half a character"),
    ],
)
def test_what_a_template_cannot_lay_out(template: Any, talk: Any, wanted: str, tmp_path: Path) -> None:
    assert wanted in refusal(template, talk, tmp_path)


CUT = CHATML.replace("m.content", "m.content.split('</think>')[-1]")
MUTE = CHATML.replace("for m in messages", "for m in messages if m.role != 'system'")
ECHO = [{"role": "system", "content": "sing"}, *TALK[1:3]]  # words of the user, too
CLOSED_AFTER = MARKED.replace(
    " + '<|im_end|>' }}{% endgeneration %}", " }}{% endgeneration %}{{ '<|im_end|>' }}"
)


@pytest.mark.parametrize(
    ("template", "talk", "wanted"),
    [
        (CUT, THOUGHT, "messages[2]: the model's chat template leaves out what the assistant says"),
        (CUT, THOUGHT[:3], "messages[2]: the model's chat template leaves out what the assistant says"),
        (MARKED, THOUGHT, "messages[2]: the model's chat template leaves out what the assistant says"),
        (
            CUT,
            [{"role": "user", "content": THOUGHT[2]["content"]}, THOUGHT[2]],
            "messages[0]: the model's chat template leaves out what the user says",
        ),
        (CHATML.replace("m.content", "m.content[:9]"), TALK[1:], "leaves out what the user says"),
        (MUTE, ECHO, "messages[0]: the model's chat template leaves out what the system says"),
        (CHATML.replace("in messages", "in messages[-2:]"), [*TALK[1:3], *TALK[1:3]], "what the user says"),
        (CLOSED_AFTER, TALK, "without the token that ends them"),
    ],
)
def test_nothing_said_is_lost_unsaid(template: str, talk: Any, wanted: str, tmp_path: Path) -> None:
    assert wanted in refusal(template, talk, tmp_path)


SPACED = CHATML.replace(
    "m.content", "m.content.replace('<think>', '<think>\n').replace('</think>', '\n</think>\n\n')"
)
SYSTEM_LAST = "{% endfor %}{{ '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}"
MUTE_MARKED = MARKED.replace("for m in messages", "for m in messages if m.role != 'system'")


@pytest.mark.parametrize(
    ("template", "talk"),
    [
        (SPACED, THOUGHT),
        (MUTE_MARKED.replace("{% endfor %}", SYSTEM_LAST), TALK),
        (CHATML.replace("content", "content|trim"), TALK),
    ],
)
def test_all_said_may_be_spaced_otherwise(template: str, talk: Any, tmp_path: Path) -> None:
    ours = load_tokenizer(write(tmp_path, "marked", chat_template=template))
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert encode_chat(talk, ours)[0] == theirs.apply_chat_template(talk)["input_ids"]


@pytest.mark.parametrize("talk", [THOUGHT[:2], THOUGHT[:4]])
@pytest.mark.parametrize("template", [CUT, REASONING, MUTE.replace("{% endfor %}", SYSTEM_LAST)])
def test_a_prompt_may_leave_out_thoughts(template: str, talk: Any, tmp_path: Path) -> None:
    ours = load_tokenizer(write(tmp_path, "chatml", chat_template=template))
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    asked = theirs.apply_chat_template(talk, add_generation_prompt=True)["input_ids"]
    assert chat_prompt(talk, ours) == asked


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ raise_exception.__globals__.items() }}",
        "{{ namespace.__init__.__globals__ }}",
        "{% set n = namespace() %}{% set n.__x = 1 %}",
        "{{ namespace(__class__=1) }}",
        "{{ self.__init__.__globals__ }}",
        "{% include 'tokenizer.json' %}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "{{ '{0.__class__}'.format('').x() }}",
        "{{ tojson.__globals__ }}",
    ],
)
def test_a_template_cannot_leave_its_sandbox(attack: str, tmp_path: Path) -> None:
    assert "does not take these messages" in refusal(attack, TALK, tmp_path, chat_prompt)


@pytest.mark.parametrize("template", [5, {"default": 5}, ["a"], [{"name": "default"}]])
def test_a_template_that_is_no_text(template: Any, tmp_path: Path) -> None:
    write(tmp_path, "chatml", chat_template=template)
    assert "chat_template is not text" in message(load_tokenizer, tmp_path)
