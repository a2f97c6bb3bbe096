"""Makes assets/rater/pairs.json: python -m bookkit.widgets.rater"""

from bookkit.widgets.rater.making import main

main()
