"""`python -m fmkit` and `torchrun -m fmkit`: the same as the command `fmkit`."""

import sys

from fmkit.cli import main

sys.exit(main())
