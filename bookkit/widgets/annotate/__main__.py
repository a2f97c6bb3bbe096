"""Makes assets/annotate/answers.json: python -m bookkit.widgets.annotate"""

from bookkit.widgets.annotate.making import main

main()
