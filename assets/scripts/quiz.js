// Grades the quizzes of the page and keeps the answers in this browser, one entry of localStorage per question.
// What is stored is only which options were chosen: whether they are right is read from the page every time,
// and what does not fit the question, because it is damaged, foreign or old, is ignored.
"use strict";

const VERDICTS = {
  right: "✓ Right.",
  wrong: "✗ Not quite: the reasons stand below each option.",
};
const MARKS = {
  "chosen correct": "✓ Right, your choice",
  "chosen": "✗ Wrong, your choice",
  "correct": "✓ Right, not chosen",
  "": "Wrong, not chosen",
};

const storage = {
  read(name) {
    try {
      return JSON.parse(localStorage.getItem(name));
    } catch {
      return null; // damaged, or the browser keeps nothing
    }
  },
  write(name, value) {
    try {
      localStorage.setItem(name, JSON.stringify(value));
    } catch {
      // the quiz works all the same, until the page is left
    }
  },
  remove(name) {
    try {
      localStorage.removeItem(name);
    } catch {
      // nothing was kept
    }
  },
};

class Question {
  constructor(form, key, quiz, changed) {
    this.form = form;
    this.changed = changed;
    this.name = `fmkit/quiz/${quiz}/${form.dataset.item}`;
    this.version = form.dataset.version;
    this.inputs = [...form.querySelectorAll("input")];
    this.reasons = [...key.querySelectorAll("ul > li")];
    this.again = key.querySelector(".fm-quiz-again");
    this.correct = this.reasons.map((reason) => "correct" in reason.dataset);
    this.verdict = form.querySelector(".fm-quiz-verdict");
    this.button = form.querySelector(".fm-quiz-check");
    this.result = null; // null until graded, then "right" or "wrong"
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.result) this.retry();
      else this.check();
    });
    this.restore();
  }

  get chosen() {
    return this.inputs.map((input) => input.checked);
  }

  restore() {
    const kept = storage.read(this.name);
    const fits = kept?.version === this.version && Array.isArray(kept.chosen) &&
      kept.chosen.length === this.inputs.length && kept.chosen.every((one) => typeof one === "boolean") &&
      kept.chosen.filter(Boolean).length === Number(this.form.dataset.choose);
    if (!fits) return;
    this.inputs.forEach((input, number) => { input.checked = kept.chosen[number]; });
    this.grade();
  }

  check() {
    const count = this.chosen.filter(Boolean).length;
    if (count !== Number(this.form.dataset.choose)) {
      const hint = this.form.querySelector(".fm-quiz-hint").textContent;
      this.verdict.textContent = count && this.inputs[0].type === "checkbox" ? `${hint} You chose ${count}.` : hint;
      return;
    }
    storage.write(this.name, { version: this.version, chosen: this.chosen });
    this.grade();
    this.changed();
  }

  grade() {
    const chosen = this.chosen;
    this.result = chosen.every((one, number) => one === this.correct[number]) ? "right" : "wrong";
    this.form.dataset.result = this.result;
    this.inputs.forEach((input, number) => {
      const words = [chosen[number] && "chosen", this.correct[number] && "correct"].filter(Boolean).join(" ");
      input.disabled = true;
      const option = input.closest("li");
      option.dataset.mark = words || "left";
      option.append(this.feedback(MARKS[words], this.reasons[number].querySelector(".fm-quiz-reason")));
    });
    this.form.querySelector("fieldset").append(this.again.cloneNode(true));
    this.verdict.textContent = VERDICTS[this.result];
    this.button.textContent = "Try again";
  }

  feedback(mark, reason) {
    const box = document.createElement("p");
    box.className = "fm-quiz-feedback";
    const label = document.createElement("b");
    label.textContent = `${mark}.`;
    box.append(label, " ", reason.cloneNode(true));
    return box;
  }

  clear() {
    storage.remove(this.name);
    this.result = null;
    delete this.form.dataset.result;
    this.form.querySelectorAll(".fm-quiz-feedback, .fm-quiz-again").forEach((part) => part.remove());
    this.inputs.forEach((input) => {
      input.disabled = input.checked = false;
      delete input.closest("li").dataset.mark;
    });
    this.verdict.textContent = "";
    this.button.textContent = "Check";
  }

  retry() {
    this.clear();
    this.changed();
    this.inputs[0].focus();
  }
}

function start(quiz) {
  const key = quiz.querySelector(".fm-quiz-key");
  const score = quiz.querySelector(".fm-quiz-score");
  const reset = quiz.querySelector(".fm-quiz-reset");
  const forms = [...quiz.querySelectorAll("form")];
  const keys = [...key.querySelectorAll("li[data-item]")];

  function show() {
    const answered = questions.filter((question) => question.result).length;
    const right = questions.filter((question) => question.result === "right").length;
    const done = answered === questions.length ? "All" : `${answered} of ${questions.length}`;
    score.textContent = answered ? `${done} answered, ${right} right.` : `${questions.length} questions, none answered yet.`;
    reset.hidden = !answered;
  }

  const questions = forms.map((form, number) => new Question(form, keys[number], quiz.dataset.quiz, show));
  reset.addEventListener("click", () => {
    questions.forEach((question) => question.clear());
    show();
    questions[0].inputs[0].focus();
  });
  key.open = true; // hidden on the screen now, and printed
  show();
}

document.querySelectorAll(".fm-quiz").forEach(start);
