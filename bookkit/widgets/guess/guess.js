// The reader's next word beside a model's recorded ones. A word that is not among them, and what follows a beginning of
// the reader's own, the model itself is asked, if the page has it. What the reader types only ever becomes text.
import { h } from "./dom.js";

const LONGEST = 5_000; // characters of a beginning, more than the model can read

class Guess {
  constructor(box) {
    this.box = box;
    this.steps = [...box.querySelectorAll(".fm-guess-step")];
    this.form = box.querySelector(".fm-guess-predict");
    this.field = this.form.querySelector("input");
    this.rows = [...box.querySelectorAll("tbody tr")];
    this.text = this.part("text").textContent;
    this.listen();
    this.at(1);
  }

  part(name) {
    return this.box.querySelector(`.fm-guess-${name}`);
  }

  listen() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.compare(this.field.value.trim());
    });
    this.part("picks").addEventListener("click", ({ target }) => {
      if (!target.dataset.word) return;
      this.field.value = target.dataset.word;
      this.compare(target.dataset.word);
    });
    this.part("again").addEventListener("click", () => {
      this.clear();
      this.field.focus();
    });
    const own = this.part("own")?.querySelector("form");
    if (!own) return;
    this.recorded = { rows: this.rows, text: this.text, caption: this.part("table").caption.textContent };
    own.addEventListener("submit", (event) => {
      event.preventDefault();
      this.begin(own.querySelector("textarea").value.replace(/\p{Surrogate}/gu, "\ufffd").trim());
    });
    own.querySelector("button[type=button]").addEventListener("click", () => this.use(this.recorded));
  }

  at(number) {
    this.steps.forEach((step, other) => {
      if (other === number) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    });
    this.box.classList.toggle("guessed", number > 1);
  }

  clear() {
    this.field.value = "";
    this.tell("", "");
    this.part("blank").textContent = "…";
    this.rows.forEach((row) => row.classList.remove("own"));
    this.asked = null; // what the model is asked now is not wanted any more
    this.at(1);
  }

  tell(result, loss) {
    this.part("result").textContent = result;
    this.part("loss").textContent = loss;
  }

  compare(guess) {
    if (!guess) {
      this.clear();
      this.part("result").textContent = "Type a word, or pick one.";
      return;
    }
    const row = find(this.rows, guess);
    this.rows.forEach((other) => other.classList.toggle("own", other === row));
    this.part("blank").textContent = row?.dataset.word ?? guess;
    this.asked = null;
    if (row) {
      const rank = this.rows.indexOf(row) + 1;
      this.tell(`“${row.dataset.word}” is number ${rank} on the model’s list, with a probability of ${percent(row)}.`,
        `For your word, the loss is −log\u00a0${row.dataset.p} =\u00a0${nats(row.dataset.p)}\u00a0nats.`);
    } else if (this.box.dataset.live) void this.askFor(guess);
    else this.tell(...this.miss(guess));
    this.at(2);
  }

  absent(guess) {
    return `“${guess}” is not among the model’s first ${this.rows.length}`;
  }

  /** What can be said of a word without the model. */
  miss(guess) {
    const last = this.rows.at(-1);
    return [
      `${this.absent(guess)}: it has a probability below ${percent(last)}.`,
      `For your word, the loss is more than ${nats(last.dataset.p)} nats, and the weights move further.`,
    ];
  }

  /** Ask the model for the probability of a word, unless the reader goes on meanwhile. */
  async askFor(guess) {
    const asked = this.asked = {};
    this.tell(`${this.absent(guess)}. Asking the model${this.loading}…`, "");
    try {
      const { factorsOf } = await fmkit.load("wordsearch"), model = await this.open();
      const spellings = [...new Set([core(guess), core(guess).toLowerCase()])];
      const ways = [];
      for (const word of spellings) ways.push({ word, factors: await factorsOf(model, this.text, word) });
      const p = ({ factors }) => factors.reduce((product, factor) => product * factor.p, 1);
      const best = ways.reduce((one, other) => (p(other) > p(one) ? other : one));
      if (asked !== this.asked) return;
      this.part("blank").textContent = best.word;
      this.tell(`${this.absent(best.word)}. Its probability is ${share(p(best))}.`,
        `For your word, the loss is ${loss(p(best))}.${parts(best.factors)}`);
    } catch (error) {
      const [result, loss] = this.miss(guess);
      if (asked === this.asked) this.tell(`${result} The model could not be asked for more. ${error.message}`, loss);
    }
  }

  get loading() {
    return this.model ? "" : `, which is being loaded (${this.box.dataset.size})`;
  }

  /** The model, which is loaded once; a failed attempt can be repeated. */
  open() {
    this.model ??= fmkit.load("engine").then(({ openModel }) => openModel(this.box.dataset.live)).catch((error) => {
      this.model = null;
      throw error;
    });
    return this.model;
  }

  /** Search the likeliest words after a beginning of the reader's own. */
  async begin(text) {
    const status = this.part("asked"), asked = this.asked = {};
    if (!text || text.length > LONGEST) {
      status.textContent = text ? `That is too long: ${text.length} characters.` : "Write a few words first.";
      return;
    }
    status.textContent = `Asking the model${this.loading}…`;
    this.box.setAttribute("aria-busy", "true");
    try {
      const { likeliestWords } = await fmkit.load("wordsearch"), model = await this.open();
      const top = await likeliestWords(model, text, this.recorded.rows.length);
      if (asked !== this.asked) return;
      const caption = `The model’s first ${top.length} after your beginning, asked just now`;
      this.use({ text, rows: top.map(drawRow), caption });
      status.textContent = "The model has predicted. Now guess, too.";
    } catch (error) {
      if (asked === this.asked) status.textContent = error.message;
    } finally {
      this.box.removeAttribute("aria-busy");
    }
  }

  /** Show a beginning with its words: the recorded ones, or those that the model was asked for. */
  use({ text, rows, caption }) {
    Object.assign(this, { text, rows });
    this.part("text").textContent = text;
    this.part("table").caption.textContent = caption;
    this.part("table").tBodies[0].replaceChildren(...rows);
    const words = rows.map((row) => row.dataset.word).sort((one, other) => one.localeCompare(other, "en"));
    this.part("picks").replaceChildren(this.part("picks").firstElementChild, ...words.map((word) =>
      h("button", { type: "button", class: "fm-button fm-guess-pick", "data-word": word }, word)));
    const [first, last] = [rows[0], rows.at(-1)].map(({ dataset }) => `“${dataset.word}”, the loss is ${loss(dataset.p)}`);
    this.part("losses").textContent = `For ${first}; for ${last}.`;
    this.part("asked").textContent = "";
    this.clear();
  }
}

/** The row of a guess: as it is written, or else its first word. */
function find(rows, guess) {
  const same = (row) => row.dataset.word === guess;
  const alike = (row) => row.dataset.word.toLowerCase() === first(guess);
  return rows.find(same) ?? rows.find(alike);
}

/** The first word of a guess, without case, punctuation and an article before it: "The attic." is attic. */
function first(guess) {
  const words = guess.toLowerCase().replaceAll("’", "'").match(/[\p{L}\p{N}]+(?:['-][\p{L}\p{N}]+)*/gu) ?? [];
  return words.length > 1 && ["a", "an", "the"].includes(words[0]) ? words[1] : words[0];
}

/** The same in the reader's own case, or a guess without letters as it is. */
function core(guess) {
  const word = first(guess) ?? guess, at = guess.toLowerCase().replaceAll("’", "'").indexOf(word);
  return guess.replaceAll("’", "'").slice(at, at + word.length);
}

function drawRow({ word, p }, index, all) {
  return h("tr", { "data-word": word, "data-p": Number(p.toPrecision(3)) },
    h("td", {}, String(index + 1)), h("td", {}, word),
    h("td", {}, h("span", { class: "fm-guess-bar", style: `width: ${((100 * p) / all[0].p).toFixed(1)}%` })),
    h("td", {}, `${(100 * p).toFixed(1)}%`));
}

/** The factors of a word's probability, if there are several. */
function parts(factors) {
  if (factors.length < 2) return "";
  const each = factors.map(({ piece, p }) => `${named(piece)} ${share(p)}`);
  return ` Its probability is ${each.join(" × ")}.`;
}

/** A token's text to read; the empty one stands for what begins after a word. */
function named(piece) {
  if (!piece) return "the end of the word";
  if (piece.includes("\ufffd")) return "part of a symbol";
  return piece.trim() ? `“${piece.trim()}”` : "a space";
}

const percent = (row) => `${(100 * row.dataset.p).toFixed(1)}%`;
const nats = (p) => (-Math.log(p)).toFixed(2);
const share = (p) => (p >= 1e-5 ? `${Number((100 * p).toPrecision(2))}%` : decimal(p));

/** 0.1234, 0.000012, and 1.2 × 10⁻⁹ for what is smaller. */
function decimal(p) {
  if (p >= 1e-3) return p.toFixed(4);
  if (p >= 1e-6) return p.toFixed(1 + Math.ceil(-Math.log10(p)));
  const [digits, power] = p.toExponential(1).split("e-");
  return `${digits} × 10⁻${[...power].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("")}`;
}

/** −log 0.3 = 1.20 nats; a product is in parentheses. */
function loss(p) {
  const argument = decimal(Number(p));
  return `−log\u00a0${p >= 1e-6 ? argument : `(${argument})`} =\u00a0${nats(p)}\u00a0nats`;
}

export default { render: ({ el }) => new Guess(el) };
