"""Ways of training: an objective, the data it needs, and defaults. The loop is the same for all."""

from fmkit.recipes.alignment import align as align
from fmkit.recipes.alignment import train_reward as train_reward
from fmkit.recipes.distillation import distill as distill
from fmkit.recipes.finetuning import finetune as finetune
from fmkit.recipes.pretraining import continue_pretrain as continue_pretrain
from fmkit.recipes.pretraining import pretrain as pretrain
from fmkit.recipes.writing import write_answers as write_answers
from fmkit.recipes.writing import write_corpus as write_corpus
