"""Training throughput beside Hugging Face's Trainer: the same model, the same tokens, in turn.

    python benchmarks/train.py [--rounds 5] [--steps 6]

The base preset: vocabulary 2048, width 256, 6 layers, 4 heads, context 256, batch 16. Each round trains each
contestant for some steps on the same tensors, one thread, and counts CPU seconds (on a GPU: seconds); the
table gives medians over the rounds, and the median of the round-by-round ratios to each peer.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
warnings.filterwarnings("ignore")

import torch
from torch.utils.data import Dataset
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments
from transformers.trainer_callback import PrinterCallback, TrainerCallback

from bookkit.experiments.recording import processor
from fmkit import ModelConfig, TrainConfig, Transformer
from fmkit import trainer as ours
from fmkit.config import choose_device, choose_dtype
from fmkit.flops import flops_per_token
from fmkit.objectives import language_modeling

BASE = ModelConfig(vocab_size=2048, hidden_size=256, num_hidden_layers=6, num_attention_heads=4)
BATCH, CONTEXT = 16, 256
DEVICE = choose_device()


class Rows(Dataset):
    """Random rows of tokens: what they say does not change the time they take."""

    def __init__(self, steps: int) -> None:
        generator = torch.Generator().manual_seed(0)
        self.rows = torch.randint(4, 2048, (steps * BATCH, CONTEXT + 1), generator=generator)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.rows[i][:-1], "labels": self.rows[i][:-1]}


class Loader:
    """The same rows for fmkit, as full pieces."""

    def __init__(self, steps: int) -> None:
        self.rows, self.i = Rows(steps).rows, 0

    def __next__(self) -> dict:
        rows = self.rows[self.i : self.i + BATCH]
        self.i += BATCH
        count = BATCH * CONTEXT
        return {
            "input_ids": rows[:, :-1].contiguous(),
            "labels": rows[:, 1:].contiguous(),
            "document_ids": None,
            "num_items": count,
            "num_tokens": count,
        }

    def state_dict(self) -> dict:
        return {}


def now() -> float:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


class Clock(TrainerCallback):
    """Starts after the first step, which pays for warming up."""

    def on_step_end(self, args, state, control, **kwargs) -> None:
        if state.global_step == 1:
            self.start = now()
        self.end = now()


def fmkit_seconds(steps: int, dtype: str | None) -> float:
    model = Transformer(BASE)
    trainer = ours.Trainer(
        model,
        language_modeling,
        Loader(steps + 1),
        TrainConfig(steps=steps + 1, batch_size=BATCH, dtype=dtype),
    )
    run = trainer.run()
    next(run)
    start = now()
    for _ in run:
        pass
    return now() - start


def hugging_face_seconds(steps: int, bf16: bool) -> float:
    model = LlamaForCausalLM(LlamaConfig(**BASE.to_hugging_face()))
    clock = Clock()
    with tempfile.TemporaryDirectory() as directory:
        arguments = TrainingArguments(
            directory,
            max_steps=steps + 1,
            per_device_train_batch_size=BATCH,
            learning_rate=3e-3,
            lr_scheduler_type="cosine",
            warmup_steps=1,
            weight_decay=0.1,
            adam_beta2=0.95,
            max_grad_norm=1.0,
            optim="adamw_torch_fused",
            bf16=bf16,
            use_cpu=DEVICE.type == "cpu",
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
        trainer = Trainer(model, arguments, train_dataset=Rows(steps + 1), callbacks=[clock])
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return clock.end - clock.start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6)
    options = parser.parse_args()
    torch.set_num_threads(1)
    chosen = str(choose_dtype(DEVICE, BASE.hidden_size)).removeprefix("torch.")
    contestants = {
        f"fmkit as it chooses ({chosen})": lambda steps: fmkit_seconds(steps, None),
        "fmkit float32": lambda steps: fmkit_seconds(steps, "float32"),
        "HF Trainer, bf16=True, fused AdamW": lambda steps: hugging_face_seconds(steps, True),
        "HF Trainer, float32, fused AdamW": lambda steps: hugging_face_seconds(steps, False),
    }
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(options.rounds):
        for name, run in contestants.items():
            times[name].append(run(options.steps))
    tokens = options.steps * BATCH * CONTEXT
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
    chip = torch.cuda.get_device_name() if DEVICE.type == "cuda" else processor()
    capability = "" if DEVICE.type == "cuda" else f", {torch.backends.cpu.get_cpu_capability()}"
    print(f"{chip}{capability}; torch {torch.__version__}; commit {commit.strip()}; one thread")
    print(
        f"{flops_per_token(BASE, CONTEXT) / 1e6:.1f} MFLOP a token (6 N + 12 L d T), {options.rounds} rounds"
    )
    print(f"\n{'':36} tokens/s  ratio to HF bf16  ratio to HF float32")
    peers = list(times)[2:]
    for name, seconds in times.items():
        ratios = [
            statistics.median(theirs / mine for theirs, mine in zip(times[peer], seconds, strict=True))
            for peer in peers
        ]
        speed = tokens / statistics.median(seconds)
        print(f"{name:36} {speed:8.0f} {ratios[0]:17.2f} {ratios[1]:20.2f}")


if __name__ == "__main__":
    main()
