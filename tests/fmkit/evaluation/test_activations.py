"""What each part of a model gives."""

import torch

from fmkit import Classifier, ModelConfig
from fmkit.evaluation.activations import trace


def test_trace_follows_an_input_to_scores() -> None:
    size = ModelConfig(vocab_size=16, hidden_size=8, num_hidden_layers=2, num_attention_heads=2)
    model, ids, last = Classifier(size, ("no", "yes")), torch.tensor([[1, 2, 3]]), torch.tensor([2])
    found = trace(model, ids, last)
    assert list(found) == ["embedding", "block 1", "block 2", "last norm", "head"]
    assert [tuple(output.shape) for output in found.values()] == [(1, 3, 8)] * 4 + [(1, 2)]
    assert found["embedding"].equal(model.model.embed_tokens(ids))
    assert found["last norm"].equal(model.hidden_states(ids))
    assert found["head"].equal(model(ids, last))
    assert not any(part._forward_hooks for part in model.modules()), "the model is left as it was"
