"""Recorded runs: training that is too long, or repeated too often, for a notebook. Kept in assets/runs/.

python -m bookkit.experiments                        record every experiment again (`make experiments`)
python -m bookkit.experiments lab                    record one
python -m bookkit.experiments lab steps=50 seed=0    rerun the arms with these settings, beside the record

A new experiment is one module here: a function with `@experiment("its-name")`.
"""
