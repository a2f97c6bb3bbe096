"""Continuous batching: answers of unequal length share the model's steps, and come and go between them."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from fmkit.data.pieces import Pieces
from fmkit.generation import draw_numbers, next_logits, pick, with_cast_weights
from fmkit.model import Transformer

log = logging.getLogger("fmkit.serve")


class Busy(Exception):
    """No more answers can wait."""


class Answer:
    """One answer: how it is written, and how far it is.

    It is what `generate_ids` writes to the prompt alone with this seed and number, whatever else is written
    beside it.
    """

    def __init__(
        self,
        prompt: list[int],
        text: Pieces,
        ends: Collection[int],
        most: int,
        temperature: float,
        top_p: float,
        seed: int | None,
        number: int,
    ) -> None:
        self.prompt, self.text, self.ends, self.most = prompt, text, ends, most
        self.how = (temperature, top_p)
        self.draws: list[int] = draw_numbers(seed, [number], most)[0].tolist()
        self.made, self.last = 0, 0  # tokens; the last of them
        self.finish: str | None = None  # "stop" or "length"
        self.gone = False  # nobody waits for it anymore
        self.asked: Asked
        self.index = 0  # among the answers that are asked for together

    def take(self, token: int) -> str:
        """Take the next token; return the text that is certain now."""
        self.made, self.last = self.made + 1, token
        if token in self.ends:
            self.finish = "stop"
            return self.text.end()
        piece = self.text.add(token)
        if self.text.stopped:
            self.finish = "stop"
        elif self.made == self.most:
            piece += self.text.end()
            self.finish = "stop" if self.text.stopped else "length"
        return piece


class Asked:
    """The answers that one request asks for, and what is told of them while they are written."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.answers = answers
        self.events: asyncio.Queue[tuple[int, str, str | None] | Exception] = asyncio.Queue()
        for index, answer in enumerate(answers):
            answer.asked, answer.index = self, index

    def tell(self, answer: Answer, news: str | Exception) -> None:
        """Pass on new text of an answer, or the error that ends all of them."""
        if isinstance(news, Exception):
            self.leave()
            self.events.put_nowait(news)
        elif news or answer.finish:
            self.events.put_nowait((answer.index, news, answer.finish))

    def leave(self) -> None:
        """Free the places of all answers: nobody waits for them anymore."""
        for answer in self.answers:
            answer.gone = True

    async def pieces(self) -> AsyncIterator[tuple[int, str, str | None]]:
        """Yield an answer's index, new text of it, and at its end why it ended. Raises what it failed by."""
        left = len(self.answers)
        while left:
            event = await self.events.get()
            if isinstance(event, Exception):
                raise event
            left -= event[2] is not None
            yield event


News = tuple[Answer, str | Exception]


class RunningBatch:
    """The answers that the model is writing."""

    def __init__(self, model: Transformer, places: int, max_length: int) -> None:
        self.model, self.places = with_cast_weights(model.eval()), places
        self.rows = model.new_rows(places, max_length)
        self.answers: list[Answer] = []  # in the order of the rows

    @torch.inference_mode()
    def step(self, joining: Sequence[Answer]) -> list[News]:
        """Make a token for each answer, the first one for those that join; return what each adds."""
        self._drop(lambda answer: answer.gone)
        told: list[News] = []
        if self.answers:
            last = torch.tensor([[answer.last] for answer in self.answers], device=self.model.device)
            told += self._take(self.answers, next_logits(self.model, last, self.rows))
        for answer in joining:
            try:
                told += self._begin(answer)
            except Exception as error:  # such as too little memory for a long prompt: the others go on
                told.append((answer, error))
        self._drop(lambda answer: answer.finish is not None)
        return told

    def _begin(self, answer: Answer) -> list[News]:
        """Read a prompt; its first token may already end the answer."""
        prompt = torch.tensor([answer.prompt], device=self.model.device)
        cache = self.model.new_cache(1, len(answer.prompt))
        told = self._take([answer], next_logits(self.model, prompt, cache))
        if answer.finish is None:
            self.rows.join(cache)
            self.answers.append(answer)
        return told

    def _take(self, answers: Sequence[Answer], logits: Tensor) -> list[News]:
        """Choose a token for each answer, at once for those with the same settings."""
        alike: dict[tuple[float, float], list[int]] = defaultdict(list)
        for i, answer in enumerate(answers):
            alike[answer.how].append(i)
        tokens = [0] * len(answers)
        for (temperature, top_p), which in alike.items():
            draw = torch.tensor([answers[i].draws[answers[i].made] for i in which], device=logits.device)
            chosen = pick(logits[which], temperature, None, top_p, draw).tolist()
            for i, token in zip(which, chosen, strict=True):
                tokens[i] = token
        return [(answer, answer.take(token)) for answer, token in zip(answers, tokens, strict=True)]

    def _drop(self, over: Callable[[Answer], bool]) -> None:
        for row in reversed(range(len(self.answers))):
            if over(self.answers[row]):
                self.rows.leave(row)
                self.answers[row] = self.answers[-1]
                self.answers.pop()


class Engine:
    """One thread with the model, and the answers that wait for a place in its batch.

    All but the model's steps happens in the event loop, so that nothing here is locked.
    """

    def __init__(self, model: Transformer, places: int, max_waiting: int, max_length: int) -> None:
        self.batch = RunningBatch(model, places, max_length)
        self.most = places + max_waiting
        self.open = 0  # answers that somebody waits for
        self.waiting: deque[Answer] = deque()
        self.work = asyncio.Event()

    def submit(self, asked: Asked) -> None:
        """Have answers written; call `leave` in the end. Raises `Busy` if more would wait than may."""
        if self.open + len(asked.answers) > self.most:
            raise Busy
        self.open += len(asked.answers)
        self.waiting.extend(asked.answers)
        self.work.set()

    def leave(self, asked: Asked) -> None:
        """Free the places of answers, written or not."""
        self.open -= len(asked.answers)
        asked.leave()
        self.waiting = deque(answer for answer in self.waiting if not answer.gone)

    async def run(self) -> None:
        """Step as long as there is something to write; runs until it is cancelled."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "model") as thread:
            while True:
                if not (self.waiting or self.batch.answers):
                    self.work.clear()
                    await self.work.wait()
                joining = self._admit()
                running = [*self.batch.answers, *joining]
                try:
                    told = await loop.run_in_executor(thread, self.batch.step, joining)
                except Exception as error:  # what runs is lost, the server is not
                    log.error("a step of the model failed: %s", type(error).__name__, exc_info=error)
                    told = [(answer, error) for answer in running]
                for answer, news in told:
                    answer.asked.tell(answer, news)

    def _admit(self) -> list[Answer]:
        """Take the answers that have waited longest, as many as there are places."""
        free = self.batch.places - sum(not answer.gone for answer in self.batch.answers)
        return [self.waiting.popleft() for _ in range(min(free, len(self.waiting)))]
