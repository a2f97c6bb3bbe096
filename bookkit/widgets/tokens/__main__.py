"""Makes assets/tokenizers: python -m bookkit.widgets.tokens"""

from pathlib import Path

from fmkit import load_corpus, train_tokenizer
from fmkit.data.tokenizer import save_tokenizer

FOLDER = Path("assets/tokenizers")
SIZE = 1024  # as large as that of the book's models, so that only the texts differ

for corpus in ("medical", "python-docs"):
    save_tokenizer(train_tokenizer(load_corpus(corpus)["train"], SIZE), FOLDER / corpus)
