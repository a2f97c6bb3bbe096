"""Ways of training: each prepares its data, names an objective, and says what to measure along the way.

All have the same form: model, tokenizer, data, configuration, then their own settings by keyword. The loop is
the same for all. Import them from `fmkit`.
"""
