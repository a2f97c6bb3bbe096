"""The command that serves a model."""

import os

from fmkit.cli.options import device, model_directory, open_to_use, option
from fmkit.cli.registry import Options, command


@command(
    "serve",
    "answer clients that speak OpenAI's API, and people in a chat page",
    "fmkit serve assistant --port 8000",
    model_directory,
    option("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1, this machine alone)"),
    option("--port", type=int, default=8000, help="(8000; 0 takes a free one)"),
    option("--served-model-name", metavar="NAME", help="what clients call the model (the directory's name)"),
    option("--max-batch", type=int, default=32, metavar="N", help="answers written at a time (32)"),
    option("--max-waiting", type=int, default=256, metavar="N", help="answers that may wait in line (256)"),
    option("--max-length", type=int, metavar="N", help="tokens of a prompt and its answer (the context)"),
    option(
        "--public-without-key",
        action="store_true",
        help="let anybody who reaches the address use the model: without it, an address that is not this "
        "machine's own needs a key, in the environment variable FMKIT_API_KEY",
    ),
    device,
)
def _serve(options: Options) -> None:
    """The key comes from the environment: other users of the machine see a command's arguments."""
    from fmkit import Transformer
    from fmkit.serve import KEY, name_of, serve

    model, tokenizer = open_to_use(Transformer, options)
    serve(
        model,
        tokenizer,
        options.served_model_name or name_of(options.model),
        options.host,
        options.port,
        options.max_batch,
        options.max_waiting,
        options.max_length,
        os.environ.get(KEY),
        options.public_without_key,
    )
