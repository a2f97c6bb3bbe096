"""The story world and its domains: corpora whose every text has a known probability.

Everything outside this package imports from here.
"""

from fmkit.world.annotators import annotate
from fmkit.world.cases import Case, Desk, draw_case, draw_wide_case, load_cases, right_path, right_turn
from fmkit.world.catalog import DOMAINS, data_card
from fmkit.world.crawl import WEB
from fmkit.world.domain import Domain, Source
from fmkit.world.facts import FACTS, YEARS, Almanac, Question
from fmkit.world.finance import FINANCE
from fmkit.world.gaps import fill_gap
from fmkit.world.grammar import Derivation, Grammar, Verdict
from fmkit.world.instructions import instruct, is_right, load_instructions
from fmkit.world.legal import LEGAL
from fmkit.world.mailbox import load_mailbox
from fmkit.world.marking import MarkedText
from fmkit.world.markov import MARKOV, Chain
from fmkit.world.measures import Floor, Validity, floor, validity
from fmkit.world.medical import MEDICAL
from fmkit.world.preferences import BROKEN, PREFERENCES, Preferences
from fmkit.world.requests import REQUEST_KINDS, REQUESTS, Request, Requests
from fmkit.world.reviews import LABELS, REVIEWS, Review, Reviews, load_reviews
from fmkit.world.rivals import FAULTS as RIVAL_FAULTS
from fmkit.world.rivals import Rivals, make_rivals
from fmkit.world.rules import Entity
from fmkit.world.spanish import SPANISH
from fmkit.world.stories import STORIES, Story, World, load_stories
from fmkit.world.support import SUPPORT, Support
from fmkit.world.triples import TRIPLE_KINDS, WORDINGS, Triple, make_triples

__all__ = [
    "BROKEN",
    "DOMAINS",
    "FACTS",
    "FINANCE",
    "LABELS",
    "LEGAL",
    "MARKOV",
    "MEDICAL",
    "PREFERENCES",
    "REQUESTS",
    "REQUEST_KINDS",
    "REVIEWS",
    "RIVAL_FAULTS",
    "SPANISH",
    "STORIES",
    "SUPPORT",
    "TRIPLE_KINDS",
    "WEB",
    "WORDINGS",
    "YEARS",
    "Almanac",
    "Case",
    "Chain",
    "Derivation",
    "Desk",
    "Domain",
    "Entity",
    "Floor",
    "Grammar",
    "MarkedText",
    "Preferences",
    "Question",
    "Request",
    "Requests",
    "Review",
    "Reviews",
    "Rivals",
    "Source",
    "Story",
    "Support",
    "Triple",
    "Validity",
    "Verdict",
    "World",
    "annotate",
    "data_card",
    "draw_case",
    "draw_wide_case",
    "fill_gap",
    "floor",
    "instruct",
    "is_right",
    "load_cases",
    "load_instructions",
    "load_mailbox",
    "load_reviews",
    "load_stories",
    "make_rivals",
    "make_triples",
    "right_path",
    "right_turn",
    "validity",
]
