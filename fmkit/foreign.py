"""What the configuration files of other libraries mean to us: defaults, and what may be passed over."""

from collections.abc import Collection, Mapping
from typing import Any

from fmkit.errors import FmkitError

# What a config.json that says nothing means to transformers, by its model_type, where our own models begin
# otherwise. These families compute as Llama does, but for what `ModelConfig` says of them.
LLAMA: dict[str, Any] = {
    "vocab_size": 32_000,
    "hidden_size": 4096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": False,
}
MISTRAL = {"intermediate_size": 14_336, "num_key_value_heads": 8, "max_position_embeddings": 131_072}
QWEN = {
    "vocab_size": 151_936,
    "intermediate_size": 22_016,
    "num_key_value_heads": 32,
    "max_position_embeddings": 32_768,
}
DEFAULTS = {
    "llama": LLAMA,
    "mistral": LLAMA | MISTRAL,
    "qwen2": LLAMA | QWEN,
    "qwen3": LLAMA | QWEN | {"head_dim": 128},
}
WINDOW = 4096  # tokens that a token sees, where one of these but Llama has a sliding window and says no more
ROPE_NAMES = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
ROPE_TYPES = {"linear": ROPE_NAMES[:1], "llama3": ROPE_NAMES}  # ways to slow rotary angles down

# Settings of transformers that leave what a model computes as it is: names, the format of weights, outputs,
# how to train, how to sample.
HARMLESS = (
    *("architectures", "model_type", "transformers_version", "auto_class", "name_or_path", "_name_or_path"),
    *("_commit_hash", "_from_model_config", "tokenizer_class", "task_specific_params", "finetuning_task"),
    *("prefix", "dtype", "torch_dtype", "use_bfloat16", "torchscript", "attn_implementation"),
    *("_attn_implementation", "_attn_implementation_autoset", "attention_dropout", "pretraining_tp"),
    *("chunk_size_feed_forward", "use_cache", "return_dict", "output_attentions", "output_hidden_states"),
    *("tf_legacy_loss", "is_decoder", "unsloth_version", "unsloth_fixed", "is_llama_config"),
    *("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id", "mask_token_id"),
    *("decoder_start_token_id", "id2label", "label2id", "num_labels", "_num_labels", "problem_type"),
    *("max_length", "min_length", "max_new_tokens", "do_sample", "early_stopping", "num_beams"),
    *("num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p"),
    *("repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size"),
    *("encoder_repetition_penalty", "bad_words_ids", "num_return_sequences", "output_scores"),
    *("return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values"),
    *("exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens", "epsilon_cutoff"),
    *("eta_cutoff", "num_assistant_tokens", "num_assistant_tokens_schedule", "assistant_lookbehind"),
    *("assistant_confidence_threshold", "target_lookbehind", "transformers.js_config", "max_sequence_length"),
)
PLAIN = {  # values that say what we compute
    "hidden_act": ("silu",),
    "partial_rotary_factor": (1,),
}


def require_plain(
    data: dict[str, Any], harmless: Collection[str], plain: Mapping[str, tuple[Any, ...]], where: str, us: str
) -> None:
    """Raise `FmkitError` for a setting that neither its name nor its value (see `plain`) makes harmless.

    What is null, false, zero or empty is not set.
    """
    for name, value in data.items():
        if value and name not in harmless and value not in plain.get(name, ()):
            raise FmkitError(
                f"{where}: {name}={value!r:.60} is not supported by {us}: remove it if it changes nothing "
                "that is computed"
            )
