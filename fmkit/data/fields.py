"""The fields that change what a record or a turn of a conversation means.

Most fields beside those that are read mean nothing to training (an id, a source, a date) and are left out.
Those listed here do mean something, each with what it is and who documents it. They are read where a shape of
`fmkit.data.shapes` has a place for them; elsewhere they may hold nothing, or repeat what is read, and are
refused by name otherwise.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from fmkit.data.files import Problem, short

MEDIA = {
    "image": "a picture (LLaVA, Amazon Bedrock)",
    "images": "pictures (TRL, LLaMA-Factory)",
    "image_url": "a picture (OpenAI)",
    "video": "a film (Amazon Bedrock)",
    "videos": "films (LLaMA-Factory)",
    "audio": "sound (OpenAI)",
    "audios": "sounds (LLaMA-Factory)",
    "document": "a document (Amazon Bedrock)",
}
QUESTION = {  # of a record: what is asked
    "system": "what the assistant is told first (LLaMA-Factory, Orca, Amazon Bedrock)",
    "system_prompt": "what the assistant is told first (OpenOrca)",
    "history": "earlier turns (LLaMA-Factory)",
    "instruction": "the question (Alpaca)",
    "question": "the question (Orca)",
    "input": "a part of the question (Alpaca)",
    "context": "a part of the question (Dolly, SQuAD)",
    "documents": "texts to answer from (chat templates of transformers)",
    "suffix": "what comes after the answer (Mistral)",
    "tools": "tools that may be called (OpenAI, Mistral, TRL)",
    "functions": "tools that may be called (OpenAI)",
    "chat_template_kwargs": "settings of a chat template (TRL)",
    "text_pair": "the second of two texts (transformers)",
    **MEDIA,
}
PAIR = {
    "chosen": "the better answer of a pair (TRL)",
    "rejected": "the worse answer of a pair (TRL)",
    "rejected_response": "the worse answer of a pair (ms-swift)",
    "non_preferred_output": "the worse answer of a pair (OpenAI)",
}
TURN = {
    "name": "who of several speaks (OpenAI)",
    "tool_calls": "calls of tools (OpenAI, Mistral)",
    "function_call": "the call of a tool (OpenAI)",
    "tool_call_id": "the call that is answered (OpenAI, Mistral)",
    "toolUse": "the call of a tool (Amazon Bedrock)",
    "toolResult": "the result of a tool (Amazon Bedrock)",
    "refusal": "what the assistant says instead (OpenAI)",
    "reasoning_content": "what the assistant thinks first (Axolotl, Qwen)",
    "reasoningContent": "what the assistant thinks first (Amazon Bedrock)",
    "thinking": "what the assistant thinks first (gpt-oss)",
    "reasoning": "what the assistant thinks first (OpenRouter, vLLM)",
    "thought": "what the assistant thinks first (Gemini)",
    "prefix": "an answer to be continued (Mistral)",
    "train_detail": "which characters are learned (Axolotl)",
    **dict.fromkeys(("mask", "masked"), "whether the turn is learned, which fmkit reads as weight"),
    "candidates": "answers of which one is preferred (Amazon Nova)",
    **MEDIA,
}
WEIGHTS = ("weight", "loss_weight")  # of a turn: 0 or 1 (OpenAI, Mistral); of a record: how much it counts
LEARNED = (*WEIGHTS, "train", "training", "loss")  # the last three true or false (Axolotl, ms-swift)
VERDICTS = ("label", "kto_tag")  # of a record: whether the answer is good (KTO in TRL, LLaMA-Factory)
SCORES = (  # of the better and the worse answer
    ("score_chosen", "score_rejected"),  # UltraFeedback
    ("chosen_score", "rejected_score"),  # distilabel
    ("chosen-rating", "rejected-rating"),  # Argilla
    ("chosen_rating", "rejected_rating"),
    ("rating_chosen", "rating_rejected"),
)
BESIDE = {*QUESTION, *VERDICTS, *LEARNED}  # of a record: what changes the meaning of examples beside it
KNOWN = {*BESIDE, *PAIR, *(name for pair in SCORES for name in pair)}

NUMBER = r"[-+]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})([eE][-+]?[0-9]{1,3})?"  # as text
REMEDY = "write what matters into the text, or remove the field"


def is_blank(value: Any) -> bool:
    """Whether a field says nothing: those of other records in the same table, an empty list in JSON."""
    if isinstance(value, str):
        return value.strip() in ("", "[]", "{}")
    return value is None or value is False or value in ([], {})


def refuse_question(record: Mapping[str, Any], read: Collection[str], asked: str) -> None:
    """Raise Problem for a part of the question that is neither `read` nor in what is `asked`."""
    for name in QUESTION:
        value = record.get(name)
        if name not in read and not is_blank(value) and not _is_in(value, asked):
            raise Problem(name, f"not read here: {QUESTION[name]}", REMEDY)


def refuse_judged(record: Mapping[str, Any], read: Collection[str]) -> None:
    """Raise Problem where the answer is not simply right: one of a pair, bad, or of another weight than 1."""
    for name in PAIR:
        if name not in read and not is_blank(record.get(name)):
            raise Problem(name, f"not read here: {PAIR[name]}", "write prompt, chosen and rejected")
    for name in VERDICTS:
        if name not in read and str(record.get(name)).lower() in ("true", "false", "0", "1"):
            remedy = "leave out the bad answers and this column, or write prompt, chosen and rejected"
            raise Problem(name, "good and bad answers, all of which would be learned", remedy)
    for name in WEIGHTS:
        if record.get(name) not in (None, "") and _number(record[name]) != 1:
            remedy = "leave out what counts little, and this field"
            raise Problem(name, "not read: how much the record counts", remedy)
    for name in LEARNED:
        if _number(record.get(name)) == 0 or str(record.get(name)).lower() == "false":
            raise Problem(name, "not read: that the record is not learned", "leave the record out")


def refuse_contradiction(record: Mapping[str, Any]) -> None:
    """Raise Problem where the answer that was rejected has the higher score."""
    for names in SCORES:
        chosen, rejected = (_number(record.get(name)) for name in names)
        if chosen is not None and rejected is not None and chosen < rejected:
            raise Problem(names[1], f"above {names[0]}", "swap the answers, or leave the record out")


def refuse_turn(turn: Mapping[str, Any], place: str) -> None:
    """Raise Problem for a field that changes what a turn means."""
    for name, meaning in TURN.items():
        if not is_blank(turn.get(name)):
            raise Problem(f"{place}.{name}", f"not read: {meaning}", REMEDY)
    if _number(turn.get("end_turn")) == 0:  # OpenAI
        raise Problem(f"{place}.end_turn", "not read: that the turn goes on", "write its parts as one turn")


def is_learned(turn: Mapping[str, Any], role: str, place: str) -> bool:
    """Whether a turn's flags leave it to be learned. Raises Problem where they are not 0 or 1."""
    said = {}
    for name in LEARNED:
        value = turn.get(name)
        if value is None:
            continue
        if isinstance(value, str) or value not in (0, 1):
            raise Problem(
                f"{place}.{name}", f"{short(value)}, not 0 or 1", "write 1 if the turn is learned, else 0"
            )
        if value and role != "assistant":
            raise Problem(f"{place}.{name}", f"the {role}'s turn is not learned", "remove it, or write 0")
        said[name] = bool(value)
    if len(set(said.values())) > 1:
        first, second, *_ = said
        raise Problem(f"{place}.{first}", f"contradicts {second}", "keep one of them")
    return all(said.values())


def _is_in(value: Any, text: str) -> bool:
    """Whether a field says, in whole words, what is in the text."""
    return isinstance(value, str) and re.search(rf"(?<!\w){re.escape(value.strip())}(?!\w)", text) is not None


def _number(value: Any) -> float | None:
    """The value as a number, which a table may hold as text."""
    if isinstance(value, str) and not re.fullmatch(NUMBER, value):
        return None
    try:
        return float(value)
    except (TypeError, OverflowError):
        return None
