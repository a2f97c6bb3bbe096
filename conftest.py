"""Set before any test, or any notebook's kernel, imports torch."""

import os

from bookkit import KERNEL_ENVIRONMENT

os.environ.update(KERNEL_ENVIRONMENT)
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test needs the Hub
