"""The lines of *Adapters* that its notebook cannot run, since peft is not among a notebook's dependencies."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from fmkit import LoraConfig, Transformer, add_lora, asset, save_adapter

NOTEBOOK = Path(__file__).parents[2] / "chapters/2-finetuning/adapters.ipynb"


@pytest.mark.slow
def test_peft_runs_the_lines_of_the_chapter(tmp_path: Path) -> None:
    """It finds the adapter and its base, and computes what we compute."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    text = "".join(next(cell["source"] for cell in cells if cell["id"] == "peft"))
    lines = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert lines
    model = Transformer.from_pretrained(asset("models/assistant"))
    add_lora(model, LoraConfig(r=8, lora_alpha=16))
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "lora_B" in name:
                weights.normal_(std=0.2, generator=torch.Generator().manual_seed(0))
    save_adapter(model, tmp_path / "status", asset("models/assistant"))
    names: dict[str, Any] = {"folder": tmp_path}
    exec(lines[1], names)
    ids = torch.randint(4, 1000, (2, 30), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours, theirs = model.eval()(ids), names["bot"].eval()(input_ids=ids).logits
        base = Transformer.from_pretrained(asset("models/assistant")).eval()(ids)
    assert (ours - base).abs().max() > 0.1
    torch.testing.assert_close(theirs, ours, atol=2e-4, rtol=1e-4)
