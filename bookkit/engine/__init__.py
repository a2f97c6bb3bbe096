"""The book's transformer in a page: it trains and answers in the browser, in a worker, without a kernel.

The scripts are fmkit's twins, with the same names in the same order: transformer.js is model.py with a
backward pass; attention.js, optim.js, batches.js, generation.js, trainer.js, pretraining.js, and world.js are
what they say, and kernels.ts holds the matrix products, for WebAssembly. engine.js is what a widget imports;
worker.js is the other end. Models, tokenizers, and the world are converted when the site is built, into
scripts that a page loads when they are asked for: models/NAME, tokenizers/NAME, worlds/stories, labs/stories,
labs/shop, engine-worker.
"""

from sphinx.application import Sphinx

from bookkit.engine.bundle import write_labs, write_shop, write_worker
from bookkit.engine.packing import write_models
from bookkit.engine.story_world import write_worlds
from bookkit.engine.tokenizer_script import convert, write_tokenizers

__all__ = ["convert"]


def setup(app: Sphinx) -> None:
    for write in (write_tokenizers, write_models, write_worlds, write_labs, write_shop, write_worker):
        app.connect("builder-inited", write)
