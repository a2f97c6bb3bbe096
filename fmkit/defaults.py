"""Where each way of training starts from when nothing is said: fields of `TrainConfig`.

What has been learned is kept better by smaller steps than those of pre-training; preferences are learned by
the smallest.
"""

from typing import Any

CONTINUE: dict[str, Any] = {"learning_rate": 1e-3}
FINETUNE: dict[str, Any] = {"steps": 200, "learning_rate": 1e-3}
ALIGN: dict[str, Any] = {"steps": 60, "learning_rate": 2e-4}
