"""The book's models: trained by recorded commands, measured, and kept in assets/models/, each with its card.

python -m bookkit.zoo                   make every model again, in order (`make models`)
python -m bookkit.zoo base student      make some
python -m bookkit.zoo --cards           only write the cards again, from what was recorded

assets/models/commands.yml has the plan of each; its record.json, the results.
"""
