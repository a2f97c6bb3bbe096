"""`python -m fmkit.cli`: the same as the command `fmkit`."""

import sys

from fmkit.cli import main

sys.exit(main())
