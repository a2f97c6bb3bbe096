"""Generation beside transformers and litgpt: tokens a CPU second.

    pip install --no-deps --target peers litgpt==0.5.13 …    # as benchmarks/train.py says, or it is left out
    PYTHONPATH=peers python benchmarks/generate.py [--rounds 5] [--new-tokens 64]

One prompt, 16 of equal length, and 32 of 8 to 39 tokens, greedy, one thread, two sizes of model with random
weights, in float32 and in bfloat16. transformers pads prompts on the left and is given a mask; litgpt answers
one. The contestants take turns, and the table gives medians over the rounds.
"""

import argparse
import os
import statistics
import subprocess
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec

os.environ.setdefault("OMP_NUM_THREADS", "1")
warnings.filterwarnings("ignore")

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from bookkit.experiments.recording import processor
from fmkit import ModelConfig, Transformer
from fmkit.generation import generate_ids

SIZES = {
    "217k, width 64": ModelConfig(vocab_size=1024, hidden_size=64, num_hidden_layers=3),
    "5.8M, width 256": ModelConfig(vocab_size=2048, hidden_size=256, num_hidden_layers=6),
}
COUNT, SHORTEST = 32, 8
Prompts = list[list[int]]
Way = Callable[[], Prompts]  # continues the prompts; returns the new tokens


def make_prompts(vocab_size: int) -> dict[str, Prompts]:
    longest = SHORTEST + COUNT - 1
    generator = torch.Generator().manual_seed(0)
    equal = torch.randint(4, vocab_size, (COUNT, longest), generator=generator).tolist()
    return {
        "1 prompt": [equal[0][:16]],
        "16 prompts of one length": [ids[:16] for ids in equal[:16]],
        "32 prompts of 32 lengths": [ids[: SHORTEST + i] for i, ids in enumerate(equal)],
    }


def contestants(config: ModelConfig, prompts: Prompts, new_tokens: int) -> dict[str, Way]:
    ways: dict[str, Way] = {}
    for dtype in (torch.float32, torch.bfloat16):
        name = str(dtype).removeprefix("torch.")
        model = Transformer(config).eval()
        model.dtype = dtype
        theirs = LlamaForCausalLM(LlamaConfig(**config.to_hugging_face())).eval()
        theirs.load_state_dict(model.state_dict())
        ways[f"fmkit, {name}"] = lambda model=model: generate_ids(model, prompts, new_tokens, temperature=0)
        ways[f"transformers, {name}"] = transformers_way(theirs.to(dtype), prompts, new_tokens)
        if find_spec("litgpt") and len(prompts) == 1:
            ways[f"litgpt, {name}"] = litgpt_way(config, dtype, prompts[0], new_tokens)
    return ways


def transformers_way(model: LlamaForCausalLM, prompts: Prompts, new_tokens: int) -> Way:
    longest = max(map(len, prompts))
    padded = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    how = {"max_new_tokens": new_tokens, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
    return lambda: model.generate(padded, attention_mask=mask, **how)[:, longest:].tolist()


def litgpt_way(config: ModelConfig, dtype: torch.dtype, prompt: list[int], new_tokens: int) -> Way:
    """Its own weights: what it says differs, and takes the same time."""
    from litgpt.generate.base import generate
    from train import as_litgpt

    model, ids = as_litgpt(config).eval().to(dtype), torch.tensor(prompt)
    model.max_seq_length = len(ids) + new_tokens
    model.set_kv_cache(batch_size=1, dtype=dtype)
    how = {"temperature": 0.0, "top_p": 0.0, "include_prompt": False}
    return lambda: [generate(model, ids, len(ids) + new_tokens, **how).tolist()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--new-tokens", type=int, default=64)
    options = parser.parse_args()
    torch.set_num_threads(1)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
    print(f"{processor()}, {torch.backends.cpu.get_cpu_capability()}; torch {torch.__version__}; ", end="")
    print(f"commit {commit.strip()}; one thread")
    print(f"{options.rounds} rounds, {options.new_tokens} new tokens each")
    for size, config in SIZES.items():
        for which, prompts in make_prompts(config.vocab_size).items():
            ways = contestants(config, prompts, options.new_tokens)
            answers = {name: way() for name, way in ways.items()}  # also warms up
            seconds: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(options.rounds):
                for name, way in ways.items():
                    start = time.process_time()
                    way()
                    seconds[name].append(time.process_time() - start)
            same = answers["fmkit, float32"] == answers["transformers, float32"]
            print(
                f"\n{size}: {which}; in float32 transformers writes {'the same' if same else 'other'} tokens"
            )
            print(f"{'':24}tokens/s  ratio to the best peer")
            medians = {name: statistics.median(taken) for name, taken in seconds.items()}
            best = min(median for name, median in medians.items() if not name.startswith("fmkit"))
            for name, median in medians.items():
                print(f"{name:24}{len(prompts) * options.new_tokens / median:8.0f}{best / median:24.2f}")


if __name__ == "__main__":
    main()
