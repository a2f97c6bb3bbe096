"""One side against both: the same model trained on next tokens and on masked tokens of the story world.

Both are asked for single words of held-out stories. The world knows the probability of each word from what
is before the gap, and from all that is around it; from these two numbers comes the kind of the gap.
"""

import math
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import torch
from tokenizers import Tokenizer

from bookkit.experiments.course import curve
from bookkit.experiments.foundations import SETTINGS, SIZE, STEPS, base, committed, pretrained
from bookkit.experiments.recording import Experiment, experiment
from bookkit.experiments.story_judge import StoryJudge
from bookkit.experiments.transfer import EPOCHS, READING, TUNING, read_texts
from bookkit.experiments.transfer import SIZE as READER
from fmkit import finetune
from fmkit.config import TrainConfig, reproducible
from fmkit.data.batches import make_loader
from fmkit.data.corpora import load_corpus
from fmkit.data.masking import SHARE, MaskedLoader
from fmkit.data.tokenizer import EOS, MASK, PAD, special_id
from fmkit.model import Classifier, Transformer
from fmkit.objectives import language_modeling
from fmkit.trainer import Trainer
from fmkit.world import LABELS, World, fill_gap, load_reviews

STORIES = 120  # of the validation split, that gaps are made in
GAPS = 250  # of each kind, at most
KINDS = {"told before": "left", "told later": "right", "chance": "neither"}  # where the answer is
WRITTEN = 24  # stories of the model's own, for each way of writing
BEGINNING = "Once upon a time, there was"
LONGEST = 150  # tokens
ROUNDS = 20  # of filling from the surest to the least sure
SHOWN = 6  # words for each gap of the story
STORY = (
    "Once upon a time, there was a playful girl named Zoe. On a quiet day, Zoe flew her red kite at the "
    "beach. The wind blew it into a big birch tree. Zoe jumped, but it did not move. Then Ravi came with a "
    'broom and got it down. "How kind of you," called Zoe. They sang songs until it was late.'
)
ASKED = (
    *("girl", "Zoe", "On", "quiet", "her", "red", "it"),
    *("big", "did", "Then", "you", "sang", "songs"),
)


@dataclass(frozen=True)
class Gap:
    """A word of a story that is one token: where it is, and its probability from one side and from both."""

    ids: list[int]
    place: int  # of the token
    left: float
    both: float

    @property
    def kind(self) -> str | None:
        """Where the answer is: in the text before, only in the text after, or nowhere."""
        if self.left >= 0.99:
            return "told before"
        if self.left <= 0.5 and self.both >= 0.99:
            return "told later"
        return "chance" if self.both <= 0.5 else None


def find_gaps(tokenizer: Tokenizer, stories: Sequence[str]) -> Iterator[Gap]:
    """Every word of some stories that is a single token, with the world's probabilities of it.

    From one side, a token may begin several words; from both, only words of one token fit its place.
    """
    world = World()

    def cut(piece: str) -> list[int]:
        return tokenizer.encode(piece, add_special_tokens=False).ids or [special_id(tokenizer, EOS)]

    for story in stories:
        encoding = tokenizer.encode(story)
        for place, (start, end) in enumerate(encoding.offsets):
            piece, after = story[start:end], story[end : end + 1]
            if not piece.strip().isalpha() or piece[0] != " " or after.isalpha() or after == "-":
                continue
            left: dict[int, float] = defaultdict(float)
            for other, p in fill_gap(world, story[:start]).items():
                left[cut(other)[0]] += p
            both = {
                cut(other)[0]: p
                for other, p in fill_gap(world, story[:start], story[end:]).items()
                if len(cut(other)) == 1
            }
            token = encoding.ids[place]
            yield Gap(encoding.ids, place, left[token], both[token] / sum(both.values()))


def draw_gaps(tokenizer: Tokenizer) -> dict[str, list[Gap]]:
    """The same gaps at every call: up to so many of each kind, from held-out stories."""
    stories = load_corpus("stories")["validation"]["text"][:STORIES]
    gaps = list(find_gaps(tokenizer, stories))
    random.Random(0).shuffle(gaps)
    return {kind: [gap for gap in gaps if gap.kind == kind][:GAPS] for kind in KINDS}


@torch.no_grad()
def answers(model: Transformer, tokenizer: Tokenizer, gaps: Sequence[Gap]) -> torch.Tensor:
    """The log-probabilities (gaps, V) that a model gives to the tokens of each gap."""
    model.eval()
    pad, mask = special_id(tokenizer, PAD), special_id(tokenizer, MASK)
    found = []
    for start in range(0, len(gaps), 25):
        part = gaps[start : start + 25]
        longest = max(len(gap.ids) for gap in part)
        rows = torch.tensor([gap.ids + [pad] * (longest - len(gap.ids)) for gap in part])
        ends = torch.tensor([len(gap.ids) for gap in part])
        places = torch.tensor([gap.place for gap in part])
        each = torch.arange(len(part))
        if not model.config.is_causal:
            rows[each, places] = mask
        documents = (torch.arange(longest) >= ends[:, None]).int()  # a text must not see its padding
        asked = places - int(model.config.is_causal)  # a causal model answers one token earlier
        found.append(model(rows, documents)[each, asked].log_softmax(-1))
    return torch.cat(found)


def judge(model: Transformer, tokenizer: Tokenizer, gaps: dict[str, list[Gap]]) -> dict[str, Any]:
    """For each kind of gap: the loss in nats, and the share where the likeliest token is the right one."""
    losses, right = {}, {}
    for kind, some in gaps.items():
        log_p = answers(model, tokenizer, some)
        truth = torch.tensor([gap.ids[gap.place] for gap in some])
        losses[kind] = round(-log_p[torch.arange(len(some)), truth].mean().item(), 3)
        right[kind] = round((log_p.argmax(-1) == truth).float().mean().item(), 3)
    return {"losses": losses, "right": right}


@experiment("masked")
def masked() -> Experiment:
    """The first half of the base's training, on masked tokens."""
    corpus = load_corpus("stories")
    _, tokenizer = base(0)
    gaps = draw_gaps(tokenizer)

    def train(share: float, seed: int) -> dict[str, Any]:
        reproducible(seed)
        model = Transformer(replace(SIZE, is_causal=False), seed=seed)
        config = TrainConfig(**SETTINGS, steps=STEPS, seed=seed)
        loader = make_loader(corpus["train"], tokenizer, config.batch_size, 256, seed)
        trainer = Trainer(model, language_modeling, MaskedLoader(loader, tokenizer, seed, share), config)
        history = list(islice(trainer.run(), STEPS // 2))
        found = judge(model, tokenizer, gaps)
        return {**curve(history), **found, "scores": found["losses"]}

    arms = [{"share": SHARE, "seed": seed} for seed in range(3)]
    training = {**SETTINGS, "steps": STEPS, "stopped_after": STEPS // 2}
    return Experiment({"corpus": "stories", "training": training}, train, arms)


def best(gaps: dict[str, list[Gap]]) -> dict[str, dict[str, float]]:
    """For each kind of gap: how many there are, and the least mean loss from one side and from both."""
    return {
        kind: {
            "gaps": len(some),
            "left": round(sum(abs(math.log(gap.left)) for gap in some) / len(some), 3),
            "both": round(sum(abs(math.log(gap.both)) for gap in some) / len(some), 3),
        }
        for kind, some in gaps.items()
    }


@experiment("gaps")
def gaps() -> Experiment:
    """Two committed models: the kinds of gaps, the gaps of one story, and what they write."""
    corpus = load_corpus("stories")
    _, tokenizer = base(0)
    drawn = draw_gaps(tokenizer)
    stories = StoryJudge(corpus["train"]["text"])

    def measure(model: str) -> dict[str, Any]:
        reader, _ = committed(model)
        found = judge(reader, tokenizer, drawn)
        written = {"left to right": write_rightward(reader, tokenizer, WRITTEN)}
        if not reader.config.is_causal:
            written["the surest first"] = write_surest(reader, tokenizer, WRITTEN)
        told = {way: {**stories.judge(texts), "example": texts[0]} for way, texts in written.items()}
        return {**found, "asked": ask(reader, tokenizer), "written": told, "scores": found["losses"]}

    about = {"corpus": "stories", "best": best(drawn), "story": STORY, "asked": truth(tokenizer)}
    return Experiment(about, measure, [{"model": "base"}, {"model": "masked"}])


def asked_gaps(tokenizer: Tokenizer) -> list[Gap]:
    """The gaps of the story that a page shows: the words of `ASKED`, in order."""
    found, left = [], list(ASKED)
    for gap in find_gaps(tokenizer, [STORY]):
        if left and tokenizer.id_to_token(gap.ids[gap.place]) == f"Ġ{left[0]}":
            found.append(gap)
            del left[0]
    return found


def ask(model: Transformer, tokenizer: Tokenizer) -> list[dict[str, float]]:
    """For each gap of the story: a model's probabilities of its likeliest tokens and of the world's words."""
    found = []
    log_p = answers(model, tokenizer, asked_gaps(tokenizer))
    for row, known in zip(log_p.exp(), truth(tokenizer), strict=True):
        tokens = row.topk(SHOWN).indices.tolist()
        for word in (*known["left"], *known["both"]):
            ids = tokenizer.encode(f" {word}", add_special_tokens=False).ids
            tokens += ids if len(ids) == 1 else []
        found.append({tokenizer.decode([token]).strip(): round(row[token].item(), 4) for token in tokens})
    return found


def truth(tokenizer: Tokenizer) -> list[dict[str, Any]]:
    """For each gap of the story: where it is, and the world's likeliest words from one side and from both."""
    world, found = World(), []
    offsets = tokenizer.encode(STORY).offsets
    for gap in asked_gaps(tokenizer):
        start, end = offsets[gap.place]
        left = fill_gap(world, STORY[:start])
        both = fill_gap(world, STORY[:start], STORY[end:])
        found.append(
            {
                "at": [start + 1, end],
                "left": shares(left, STORY[start:end]),
                "both": shares(both, STORY[start:end]),
            }
        )
    return found


def shares(found: dict[str, float], word: str) -> dict[str, float]:
    """The likeliest words of a gap and the right one, with their probabilities."""
    chosen = [*list(found)[:SHOWN], *([word] if word not in list(found)[:SHOWN] else [])]
    return {piece.strip(): round(found[piece], 4) for piece in chosen}


# --- a masked model that writes ---------------------------------------------------------------------------


@torch.no_grad()
def write_rightward(model: Transformer, tokenizer: Tokenizer, count: int) -> list[str]:
    """Texts that grow by a token at their end; a masked model is asked by a mask there."""
    generator = torch.Generator().manual_seed(0)
    asked = [] if model.config.is_causal else [special_id(tokenizer, MASK)]
    rows = torch.tensor([tokenizer.encode(BEGINNING).ids] * count)
    for _ in range(LONGEST):
        shown = torch.cat([rows, torch.tensor([asked] * count, dtype=torch.long)], 1)
        p = model(shown)[:, -1].softmax(-1)
        rows = torch.cat([rows, torch.multinomial(p, 1, generator=generator)], 1)
    return [_text(tokenizer, row) for row in rows.tolist()]


@torch.no_grad()
def write_surest(model: Transformer, tokenizer: Tokenizer, count: int) -> list[str]:
    """Texts of masks after a beginning, as long as held-out stories; the surest places are filled
    first (Ghazvininejad et al. 2019, arXiv:1904.09324)."""
    generator = torch.Generator().manual_seed(0)
    mask, beginning = special_id(tokenizer, MASK), tokenizer.encode(BEGINNING).ids
    stories = load_corpus("stories")["validation"]["text"][:count]
    texts = []
    for length in (len(each.ids) for each in tokenizer.encode_batch(stories)):
        row = torch.full((1, length), mask)
        row[0, : len(beginning)] = torch.tensor(beginning)
        row[0, -1] = special_id(tokenizer, EOS)
        for left in range(ROUNDS, 0, -1):
            hidden = (row[0] == mask).nonzero()[:, 0]
            p = model(row)[0, hidden].softmax(-1)
            drawn = torch.multinomial(p, 1, generator=generator)[:, 0]
            sure = p[torch.arange(len(hidden)), drawn].topk(-(-len(hidden) // left)).indices
            row[0, hidden[sure]] = drawn[sure]
        texts.append(_text(tokenizer, row[0].tolist()))
    return texts


def _text(tokenizer: Tokenizer, ids: list[int]) -> str:
    end = special_id(tokenizer, EOS)
    return tokenizer.decode(ids[: ids.index(end)] if end in ids else ids)


# --- what each is good for as a reader --------------------------------------------------------------------


@experiment("two-sided-readers")
def two_sided_readers() -> Experiment:
    """The classifiers of `transfer`, from a model that has read the same texts with masks, by steps."""
    raw = read_texts()

    def train(reading_steps: int, labels: int, seed: int) -> dict[str, Any]:
        reading = {**READING, "steps": reading_steps}
        model, tokenizer = pretrained(replace(READER, is_causal=False), raw, reading, seed)
        data = load_reviews(n_train=labels, n_validation=300, seed=0)
        reproducible(seed)
        steps = EPOCHS * labels // TUNING["batch_size"]
        config = TrainConfig(steps, **TUNING, seed=seed, eval_every=steps)
        run = finetune(Classifier.from_base(model, LABELS, seed), tokenizer, data, config)
        return {"scores": {"accuracy": round(run.history[-1]["accuracy"], 3)}}

    arms = [
        {"reading_steps": READING["steps"], "labels": labels, "seed": seed}
        for seed in range(3)
        for labels in (50, 200, 1000)
    ]
    about = {"corpus": "20,000 reviews and 3,000 stories", "pretraining": READING, "finetuning": TUNING}
    return Experiment(about, train, arms)
