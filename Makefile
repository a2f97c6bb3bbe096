# `make book` reads the book, `make test` proves it. Both set up .venv by themselves.
# PYTHON=python3.12 chooses the Python of a new .venv; PORT=9000 the port of the book.
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1

.PHONY: help book html zip pdf slides student instructor check test lab notebooks models experiments assignments week quiz-report soak clean lint book-venv test-venv
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

book: html ## build the book, serve it on this machine and print its address
	@$(BIN)/python -m bookkit serve $(if $(PORT),--port $(PORT))

html: book-venv ## only build the book, into _build/html
	@$(BIN)/python -m bookkit build

zip: book-venv ## the built book as one file, to be read without a network
	@$(BIN)/python -m bookkit zip

pdf: test-venv ## the built book as one PDF; needs Chromium, and gets one where it can
	@$(BIN)/python -m bookkit.site.browser
	@$(BIN)/python -m bookkit pdf

student: book-venv ## the students' edition, without any answer: site and notebooks
	@$(BIN)/python -m bookkit student

instructor: book-venv ## all that a teacher needs, as one zip: make instructor SEED=7, the seed of the class
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m bookkit instructor "$(SEED)"

slides: book-venv ## a deck of slides for each chapter, into _build/slides
	@$(BIN)/python -m bookkit slides

check: lint ## lint, types and the fast tests, for use while writing
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not soak" --ignore tests/chapters -p no:nbval

test: lint ## everything that CI checks
	$(BIN)/python -m bookkit.site.browser
	$(BIN)/python -m bookkit build
	$(BIN)/python -m pytest -n 2 --dist loadfile

lab: book-venv ## open JupyterLab on the chapters
	@$(BIN)/jupyter lab chapters

notebooks: book-venv ## re-execute every notebook and normalize it
	@$(BIN)/python -m bookkit notebooks

models: book-venv ## train the book's models again, into assets/models
	@$(BIN)/python -m bookkit.zoo

experiments: book-venv ## record the long runs again, into assets/runs
	@$(BIN)/python -m bookkit.experiments

assignments: book-venv ## graded problem sets of a class, for nbgrader: make assignments SEED=7
	@$(BIN)/python -m bookkit.assignments course "$(SEED)"

week: book-venv ## all that a week of the course needs, as one zip: make week N=2 SEED=7
	@$(BIN)/python -m bookkit.assignments week "$(N)" "$(SEED)"

quiz-report: book-venv ## what the quizzes cover, and what their form gives away
	@$(BIN)/python -m bookkit.quiz report

soak: test-venv ## the long tests: many kills, many seeds
	$(BIN)/python -m pytest -m soak

clean: ## remove what was built; .venv stays
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache

lint: test-venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m bookkit.quiz lint

book-venv:
	@$(or $(PYTHON),python3) bootstrap.py book

test-venv:
	@$(or $(PYTHON),python3) bootstrap.py test
