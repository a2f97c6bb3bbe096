"""How assets/annotate/answers.json is made: answers of the assistant, and what the world says of them.

An answer is *right* if the shop could have written it, *partly* right if it could have with the order number
of the letter in place of the one that it names, and *wrong* otherwise.
"""

import json
import math
import random
import re
from pathlib import Path

from bookkit.widgets.annotate import FILE, LABELS
from fmkit.assets import asset
from fmkit.data.chat import chat_prompt
from fmkit.data.tokenizer import EOS, special_id
from fmkit.evaluation.sampling import complete
from fmkit.model import Transformer
from fmkit.world import Support, annotate

LETTERS, RIGHT_ANSWERS = 120, 20
ORDER = re.compile(r"order \d{3}")
WANTED = {"right": 5, "partly": 3, "wrong": 4}
SLIPS, HASTY_SLIPS = 0.08, 0.15


def make() -> list[dict[str, str]]:
    """The twelve answers, the same each time."""
    shop, rng = Support(), random.Random("annotate")
    letters, known = [], []
    for _ in range(LETTERS):
        prompt, texts = shop.derive_pair(rng)
        letters.append(prompt.text)
        known.append([next(texts).text[len(prompt.text) + 1 :] for _ in range(RIGHT_ANSWERS)])
    rows = []
    for letter, right, answer in zip(letters, known, answer_all(letters), strict=True):
        reference = next(one for one in sorted(right, key=len) if one != answer)
        truth = judge(shop, letter, answer)
        rows.append({"letter": letter, "answer": answer, "reference": reference, "truth": truth})
    return rated(choose(rows))


def judge(shop: Support, letter: str, answer: str) -> str:
    order = ORDER.search(letter)
    corrected = ORDER.sub(order[0], answer) if order else answer
    if shop.completion_log_prob(letter, answer) > -math.inf:
        return "right"
    return "partly" if shop.completion_log_prob(letter, corrected) > -math.inf else "wrong"


def answer_all(letters: list[str]) -> list[str]:
    """The assistant's likeliest answers."""
    model = Transformer.from_pretrained(asset("models/assistant"))
    assert model.tokenizer is not None
    asked = [chat_prompt([{"role": "user", "content": letter}], model.tokenizer) for letter in letters]
    said = complete(model, asked, 80, special_id(model.tokenizer, EOS), temperature=0)
    return [model.tokenizer.decode(ids).strip() for ids in said]


def choose(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """As many of each kind as are wanted, the shortest first, and no two that end alike."""
    chosen: list[dict[str, str]] = []
    for label, count in WANTED.items():
        starts: set[str] = set()
        for row in sorted((row for row in rows if row["truth"] == label), key=lambda row: len(row["answer"])):
            start = " ".join(row["answer"].split()[-4:])
            if start not in starts and len(starts) < count:
                starts.add(start)
                chosen.append(row)
    random.Random("annotate").shuffle(chosen)
    return chosen


def rated(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """With what two simulated annotators say: one slips now and then, one also takes *partly* for *right*."""
    truth = [row["truth"] for row in rows]
    careful = annotate(truth, LABELS, slips=SLIPS, seed=4)
    hasty = annotate(truth, LABELS, slips=HASTY_SLIPS, misread={"partly": "right"}, seed=10)
    return [{**row, "careful": c, "hasty": h} for row, c, h in zip(rows, careful, hasty, strict=True)]


def main() -> None:
    lines = ",\n".join(json.dumps(row) for row in make())
    Path(FILE).parent.mkdir(parents=True, exist_ok=True)
    head = '{"command": "python -m bookkit.widgets.annotate", "answers": ['
    Path(FILE).write_text(f"{head}\n{lines}\n]}}\n", encoding="utf-8")
