// Grades questions. Each type of item is a class of question; whatever shows items imports
//
//   question(form, key, quiz, options)   the question of a form and of its entry in the key; options: `changed` is
//                                        called after an answer and after a retry; `fresh` does not show what the
//                                        store knows of it
//   bank(name)                           loads a bank, the script of this name (the directive's `later`), and gives
//                                        [{quiz, id, version, objective, type, make}, …]; make() is a copy of the
//                                        question's list item and key, {item, key}, to be put somewhere
//   ask(list, set, changed)              fresh questions for some of a bank, each in an order of its own, in a list
//
// and a question has: `answer` (null while it is incomplete, see `problem`), `problem()` (what is missing, in words),
// `excess()` (what can be said before it is complete), `isRight(answer)`, `show(answer)` (fills it in), `grade()`
// (shows what is right and why, and locks it), `arrange(seed)` (shows its parts in another order), `clear()`,
// `focus()`, `result` (null, "right" or "wrong"; "kept" where there is no key, as in the students' edition).
//
// A chapter shows its questions as they are in the file, and so on paper; each new try has an order of its own.
// An answer is the same in each order: its numbers are those of the file. What is kept of it is only what was chosen:
// whether it is right is read from the page every time, and what does not fit the question, being damaged, foreign or
// old, is ignored.

import { newSeed, orders } from "./shuffle.js";
import * as store from "./store.js";

const LETTERS = "ABCDEFGHI";

class Question {
  constructor(form, key, quiz, { changed = () => {}, fresh = false } = {}) {
    this.form = form;
    this.quiz = quiz;
    this.id = form.dataset.item;
    this.version = form.dataset.version;
    this.changed = changed;
    this.controls = [...form.querySelectorAll("fieldset :is(input, select)")];
    this.key = key; // null where nothing is graded
    this.reasons = [...key?.querySelectorAll("ul > li") ?? []];
    this.again = key?.querySelector(".fm-quiz-again");
    this.measured = key?.querySelector(".fm-quiz-measured");
    this.hint = form.querySelector(".fm-quiz-hint").textContent;
    this.verdict = form.querySelector(".fm-quiz-verdict");
    this.button = form.querySelector(".fm-quiz-check");
    this.word = this.button.textContent;
    this.result = null; // null until graded, then "right" or "wrong", or until kept
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.result) this.retry();
      else this.check();
    });
    form.addEventListener("input", () => { this.verdict.textContent = this.excess(); });
    if (!fresh) this.restore();
  }

  get answer() {
    return this.problem() ? null : this.given();
  }

  restore() {
    const kept = store.item(this.quiz, this.id);
    if (!store.fits(kept, this.version) || kept.answer === null) return;
    this.show(kept.answer);
    if (JSON.stringify(this.answer) !== JSON.stringify(kept.answer)) { // it does not fit the question
      this.empty();
      return;
    }
    if (this.key && !kept.result) this.keep(); // from before attempts were kept, or from the students' edition
    this.grade();
  }

  // Shows what another tab has made of it; true if that is something else. What the reader has begun here stays: it
  // may become the newer answer.
  refresh() {
    const begun = this.controls.some(({ type, checked, value }) => (/radio|checkbox/.test(type) ? checked : value));
    if (!this.result && begun) return false;
    const kept = store.item(this.quiz, this.id)?.answer ?? null;
    if (JSON.stringify(kept) === JSON.stringify(this.result && this.given())) return false;
    if (this.result) this.clear();
    this.restore();
    return true;
  }

  keep() {
    store.answer(this.quiz, this.id, this.version, this.answer, this.key ? this.isRight(this.answer) : null);
  }

  check() {
    this.verdict.textContent = this.problem();
    if (this.answer === null) return;
    this.keep();
    this.grade();
    this.changed();
  }

  grade() {
    this.controls.forEach((control) => { control.disabled = true; });
    if (!this.key) {
      this.result = this.form.dataset.result = "kept";
      this.verdict.textContent = "Kept.";
      this.button.textContent = "Change it";
      return;
    }
    const [answer, open] = [this.given(), this.answer === null];
    this.result = !open && this.isRight(answer) ? "right" : "wrong";
    this.form.dataset.result = this.result;
    this.explain(answer);
    this.form.querySelector("fieldset").append(this.again.cloneNode(true));
    const wrong = open ? "No complete answer" : "Not quite";
    this.verdict.textContent = this.result === "right" ? "✓ Right." : `✗ ${wrong}: see the reasons above.`;
    this.button.textContent = "Try again";
  }

  parts() {
    return this.controls.map((control) => control.closest(".fm-quiz-part"));
  }

  part(number) {
    return this.parts()[number];
  }

  feedback(part, mark, words, reason, ...more) {
    const box = document.createElement("p");
    box.className = "fm-quiz-feedback";
    const label = document.createElement("b");
    label.textContent = `${words}.`;
    box.append(label, " ", reason.querySelector(".fm-quiz-reason").cloneNode(true), ...more);
    part.dataset.mark = mark;
    part.append(box);
  }

  excess() {
    return "";
  }

  arrange() {
    // nothing to arrange
  }

  open() {
    this.result = null;
    delete this.form.dataset.result;
    this.form.querySelectorAll(".fm-quiz-feedback, .fm-quiz-again").forEach((part) => part.remove());
    this.form.querySelectorAll("[data-mark]").forEach((part) => { delete part.dataset.mark; });
    this.controls.forEach((control) => { control.disabled = false; });
    this.verdict.textContent = "";
    this.button.textContent = this.word;
  }

  clear() {
    this.open();
    this.empty();
    if (this.key) this.arrange(newSeed());
  }

  // What nobody has graded is changed; what was graded is taken back and answered anew.
  retry() {
    if (this.key) {
      store.takeBack(this.quiz, this.id);
      this.clear();
    } else {
      this.open();
    }
    this.changed();
    this.focus();
  }

  focus() {
    this.form.querySelector("fieldset :is(input, select)").focus();
  }
}

// Puts elements of one list into an order, and letters them anew where they have letters.
function reorder(elements, order) {
  order.forEach((number, place) => {
    const element = elements[number];
    element.parentElement.append(element);
    const letter = element.querySelector(".fm-quiz-letter");
    if (letter) letter.textContent = LETTERS[place];
  });
}

// One option or more: their numbers, from 0.
class Choice extends Question {
  static MARKS = {
    "chosen correct": "✓ Right, your choice",
    "chosen": "✗ Wrong, your choice",
    "correct": "✓ Right, not chosen",
    "left": "Wrong, not chosen",
  };

  given() {
    return this.controls.flatMap((control, number) => (control.checked ? [number] : []));
  }

  show(answer) {
    this.controls.forEach((control, number) => { control.checked = answer.includes(number); });
  }

  empty() {
    this.show([]);
  }

  problem() {
    const count = this.given().length;
    if (count === Number(this.form.dataset.choose)) return "";
    return count && this.controls[0].type === "checkbox" ? `${this.hint} You chose ${count}.` : this.hint;
  }

  excess() {
    return this.given().length > Number(this.form.dataset.choose) ? this.problem() : "";
  }

  // Numbers stay in order: a reader looks for one.
  arrange(seed) {
    if ("sorted" in this.form.dataset) return;
    const [order] = orders(this.controls.length, seed);
    reorder(this.parts(), order);
  }

  correct(number) {
    return "correct" in this.reasons[number].dataset;
  }

  isRight(answer) {
    return this.controls.every((_, number) => answer.includes(number) === this.correct(number));
  }

  explain(answer) {
    this.reasons.forEach((reason, number) => {
      const words = [answer.includes(number) && "chosen", this.correct(number) && "correct"].filter(Boolean);
      const mark = words.join(" ") || "left";
      this.feedback(this.part(number), mark, Choice.MARKS[mark], reason);
    });
  }
}

// A place for each step, or a match for each prompt: their numbers, from 1, each once.
class Places extends Question {
  given() {
    return this.controls.map((control) => Number(control.value));
  }

  show(answer) {
    this.controls.forEach((control, number) => { control.value = String(answer[number] ?? ""); });
  }

  empty() {
    this.show([]);
  }

  excess() {
    const given = this.given();
    const twice = given.find((place, number) => place && given.indexOf(place) < number);
    return twice ? `${this.hint} ${this.name(twice)} is used twice.` : "";
  }

  problem() {
    const given = this.given();
    const open = given.filter((place) => !place).length;
    if (!open) return this.excess();
    return `${this.hint} ${open === given.length ? "" : `${open} of ${given.length} to go.`}`.trim();
  }

  right(number) {
    return Number(this.reasons[number].dataset.correct);
  }

  isRight(answer) {
    return this.reasons.every((_, number) => answer[number] === this.right(number));
  }

  explain(answer) {
    this.reasons.forEach((reason, number) => {
      const [given, right] = [answer[number], this.right(number)];
      const same = given === right;
      const wrong = given ? `✗ ${this.name(given)} is wrong` : "Left blank";
      const words = same ? `✓ ${this.name(right)} is right` : `${wrong}; right: ${this.name(right)}`;
      this.feedback(this.part(number), same ? "chosen correct" : "chosen", words, reason);
    });
  }
}

class Order extends Places {
  name(place) {
    return `Place ${place}`;
  }

  // In any order but the right one.
  arrange(seed) {
    for (const order of orders(this.controls.length, seed)) {
      if (order.every((number, place) => this.right(number) === place + 1)) continue;
      reorder(this.parts(), order);
      return;
    }
  }
}

class Pairs extends Places {
  name(match) {
    return this.match(match).querySelector(".fm-quiz-letter").textContent;
  }

  match(number) {
    return this.form.querySelector(`.fm-quiz-matches > [data-match="${number}"]`);
  }

  // Prompts and matches, none beside its own.
  arrange(seed) {
    const mixed = orders(this.controls.length, seed);
    const prompts = mixed.next().value;
    for (const matches of mixed) {
      if (prompts.some((number, place) => this.right(number) === matches[place] + 1)) continue;
      reorder(this.parts(), prompts);
      reorder(matches.map((_, number) => this.match(number + 1)), matches);
      this.controls.forEach((control) => this.reletter(control));
      return;
    }
  }

  // The matches in a menu, as they are listed above.
  reletter(control) {
    const [, ...options] = control.options;
    options.forEach((option) => {
      option.textContent = `${this.name(option.value)} · ${option.dataset.text}`;
    });
    options.sort((one, other) => (one.textContent < other.textContent ? -1 : 1));
    control.append(...options);
  }
}

// A number that was measured: the text that the reader typed.
class Measured extends Question {
  static FORM = /^[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?$/i;
  static GROUPED = /^[+-]?[1-9]\d{0,2}(,\d{3}|\s\d{3})+(\.\d+)?$/; // 1,500 as the pages print it, and 1 500

  given() {
    return this.controls[0].value.trim();
  }

  show(answer) {
    this.controls[0].value = typeof answer === "string" ? answer : "";
  }

  empty() {
    this.show("");
  }

  static read(text) {
    const written = text.replace("−", "-");
    const plain = Measured.GROUPED.test(written) ? written.replace(/[,\s]/g, "") : written;
    return Measured.FORM.test(plain) ? Number(plain.replace(",", ".")) : NaN;
  }

  problem() {
    const fault = this.given() ? "That is not a number." : "Type the number.";
    return Number.isFinite(Measured.read(this.given())) ? "" : `${fault} Write it like 0.43 or 1,500.`;
  }

  // Within the tolerance of a number, with a margin for rounding. That of a smaller mistake is smaller in proportion.
  near(answer, reason) {
    const [value, key] = [reason, this.reasons[0]].map((one) => Number(one.dataset.correct));
    const part = key === 0 ? 1 : Math.min(1, Math.abs(value / key));
    return Math.abs(Measured.read(answer) - value) <= part * Number(this.reasons[0].dataset.tolerance) * (1 + 1e-9);
  }

  isRight(answer) {
    return this.near(answer, this.reasons[0]);
  }

  explain(answer) {
    const [right, ...mistakes] = this.reasons;
    const is = `${right.querySelector("b").textContent}${this.form.querySelector(".fm-quiz-unit").textContent}`;
    const number = Measured.read(answer);
    const you = Number.isFinite(number) ? `You wrote ${number.toLocaleString("en-US", { maximumFractionDigits: 9 })}` : "Left blank";
    const mark = this.result === "right" ? "chosen correct" : "chosen";
    const known = mark === "chosen" && mistakes.find((mistake) => this.near(answer, mistake));
    if (known) this.feedback(this.part(0), mark, `✗ ${you}, the result of a common mistake`, known);
    const words = mark === "chosen" ? `${known ? "" : `✗ ${you}. `}It is ${is}` : `✓ ${you}, and it is ${is}`;
    this.feedback(this.part(0), mark, words, right, " ", this.measured.cloneNode(true));
  }
}

const TYPES = {
  "multiple-choice": Choice,
  "multiple-response": Choice,
  "ordering": Order,
  "matching": Pairs,
  "numeric": Measured,
};

export function question(form, key, quiz, options) {
  return new TYPES[form.dataset.type](form, key, quiz, options);
}

export async function bank(name) {
  const template = document.createElement("template");
  template.innerHTML = await window.fmkit.load(name);
  return [...template.content.querySelectorAll("[data-quiz]")].flatMap((quiz) => {
    const keys = [...quiz.querySelectorAll("li[data-item]")];
    return [...quiz.querySelectorAll("form")].map((form, number) => ({
      quiz: quiz.dataset.quiz,
      id: form.dataset.item,
      version: form.dataset.version,
      objective: form.dataset.objective,
      type: form.dataset.type,
      make: () => ({
        item: document.importNode(form.closest("li"), true),
        key: document.importNode(keys[number], true),
      }),
    }));
  });
}

export function ask(list, set, changed) {
  const asked = set.map((one, number) => {
    const { item, key } = one.make();
    item.querySelector(".fm-quiz-place").textContent = `Question ${number + 1} of ${set.length}`;
    const made = question(item.querySelector("form"), key, one.quiz, { changed, fresh: true });
    made.arrange(newSeed());
    return Object.assign(made, { element: item });
  });
  list.replaceChildren(...asked.map((one) => one.element));
  return asked;
}

function render({ el: section }) {
  const { quiz } = section.dataset;
  const score = section.querySelector(".fm-quiz-score");
  const reset = section.querySelector(".fm-quiz-reset");
  const key = section.querySelector(".fm-quiz-key");
  const keys = [...key?.querySelectorAll("li[data-item]") ?? []];

  function changed() {
    const answered = questions.filter((one) => one.result).length;
    const right = questions.filter((one) => one.result === "right").length;
    const done = answered === questions.length ? "All" : `${answered} of ${questions.length}`;
    const said = key ? `${done} answered, ${right} right.` : `${done} answered.`;
    score.textContent = answered ? said : `${questions.length} questions, none answered yet.`;
    reset.hidden = !answered;
  }

  const questions = [...section.querySelectorAll("form")]
    .map((form, number) => question(form, keys[number] ?? null, quiz, { changed }));
  reset.addEventListener("click", () => {
    questions.forEach((one) => {
      store.takeBack(quiz, one.id);
      one.clear();
    });
    changed();
    questions[0].focus();
  });
  store.watch(() => { if (questions.filter((one) => one.refresh()).length) changed(); });
  changed();
}

export default { render };
