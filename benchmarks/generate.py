"""Generation for prompts of unequal length, beside transformers: tokens a CPU second.

    python benchmarks/generate.py [--rounds 3] [--new-tokens 64]

32 prompts of 8 to 39 tokens, greedy, one thread, two sizes of model with random weights. fmkit takes them in
one batch; as groups of one length each, which here is one at a time; and, as the bound, in one batch of
prompts that all have the longest one's length. transformers pads them on the left and is given a mask. The
contestants take turns, and the table gives medians over the rounds.
"""

import argparse
import os
import statistics
import subprocess
import time
import warnings
from collections.abc import Callable

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


def contestants(config: ModelConfig, new_tokens: int) -> dict[str, Callable[[], list[list[int]]]]:
    """Ways to continue the prompts, each a function that returns the new tokens."""
    model = Transformer(config).eval()
    theirs = LlamaForCausalLM(LlamaConfig(**config.to_hugging_face())).eval()
    theirs.load_state_dict(model.state_dict())
    generator = torch.Generator().manual_seed(0)
    longest = SHORTEST + COUNT - 1
    equal = torch.randint(4, config.vocab_size, (COUNT, longest), generator=generator).tolist()
    prompts = [ids[: SHORTEST + i] for i, ids in enumerate(equal)]
    padded = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])

    def transformers() -> list[list[int]]:
        settings = {"max_new_tokens": new_tokens, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
        return theirs.generate(padded, attention_mask=mask, **settings)[:, longest:].tolist()

    return {
        "fmkit, one batch": lambda: generate_ids(model, prompts, new_tokens, temperature=0),
        "fmkit, by length": lambda: [generate_ids(model, [p], new_tokens, temperature=0)[0] for p in prompts],
        "fmkit, equal lengths": lambda: generate_ids(model, equal, new_tokens, temperature=0),
        "transformers, left padding": transformers,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--new-tokens", type=int, default=64)
    options = parser.parse_args()
    torch.set_num_threads(1)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
    print(f"{processor()}, {torch.backends.cpu.get_cpu_capability()}; torch {torch.__version__}; ", end="")
    print(f"commit {commit.strip()}; one thread, float32")
    print(f"{options.rounds} rounds, {options.new_tokens} new tokens each")
    for size, config in SIZES.items():
        ways = contestants(config, options.new_tokens)
        answers = {name: way() for name, way in ways.items()}  # also warms up
        assert answers["fmkit, one batch"] == answers["fmkit, by length"]
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, way in ways.items():
                start = time.process_time()
                way()
                seconds[name].append(time.process_time() - start)
        same = answers["fmkit, one batch"] == answers["transformers, left padding"]
        print(f"\n{size}; transformers writes {'the same' if same else 'other'} tokens")
        print(f"{'':28}tokens/s  ratio to transformers")
        peer = statistics.median(seconds["transformers, left padding"])
        for name, taken in seconds.items():
            median = statistics.median(taken)
            print(f"{name:28}{COUNT * options.new_tokens / median:8.0f}{peer / median:23.2f}")


if __name__ == "__main__":
    main()
