"""Choose what to train on: quality filters, duplicates, personal data, similarity to a target.

In the order of a pipeline: `filter_corpus`, `drop_duplicates`, `drop_near_duplicates`, `scrub`,
`dsir_select`.
"""

from fmkit.selection.dsir import dsir_select, dsir_weights, ngram_divergence
from fmkit.selection.duplicates import DuplicateReport, drop_duplicates, drop_near_duplicates
from fmkit.selection.filters import FILTERS, FilterReport, filter_corpus, find_fault
from fmkit.selection.personal import Score, Span, find_personal, precision_recall, scrub

__all__ = [
    "FILTERS",
    "DuplicateReport",
    "FilterReport",
    "Score",
    "Span",
    "drop_duplicates",
    "drop_near_duplicates",
    "dsir_select",
    "dsir_weights",
    "filter_corpus",
    "find_fault",
    "find_personal",
    "ngram_divergence",
    "precision_recall",
    "scrub",
]
