"""Set before any test, or any notebook's kernel, imports torch."""

import os

# One thread: the same digits everywhere, and two workers do not fight over the cores.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TQDM_DISABLE"] = "1"  # bars redraw themselves: nothing to compare
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline" if "--nbval" in os.sys.argv else "Agg"
