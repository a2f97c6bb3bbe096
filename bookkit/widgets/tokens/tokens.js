// A text as tokens, with as many merges as the reader wants. What the reader types only ever becomes text.
import { Tokenizer } from "./tokenizer.js";
import { cut, SHOWN, tokensOf } from "./cuts.js";
import { bytesOf, drawCurve, drawDetail, drawView, letters, many, number } from "./pieces.js";
import { button, slider } from "./controls.js";
import { h } from "./dom.js";

const LONGEST = 100_000; // characters that are read
const REST = 200; // milliseconds without a key until they are read
const UNMERGED = 260; // tokens of a vocabulary without merges: special ones and bytes
const ROLES = ["<|system|>", "<|user|>", "<|assistant|>"]; // special tokens of the assistant alone
const WAYS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };

class Explorer {
  constructor(el) {
    this.el = el;
    this.field = el.querySelector("textarea");
    this.all = this.part("all").querySelector("input"); // show the tokens of all three
    this.rows = new Map([...el.querySelectorAll("label[data-name]")].map((row) => [row.dataset.name, row]));
    this.from = el.dataset.start; // the chosen tokenizer
    this.used = Number(el.dataset.merges);
    this.views = []; // the lists of tokens on the page: { vocabulary, tokens, box }
    this.token = null; // the chosen one: { view, index, place }
    this.hint = this.part("hint");
    this.addControls();
    this.listen();
  }

  part(name) {
    return this.el.querySelector(`.fm-tokens-${name}`);
  }

  addControls() {
    this.everyNumber = Array.from({ length: this.used + 1 }, (_, count) => count);
    const format = (count) => `${number(count)} of ${number(this.everyNumber.length - 1)}`;
    this.merges = slider({ label: "Merges used", unit: "", format, onchange: (count) => this.use(count) });
    this.merges.offer(this.everyNumber, this.used);
    this.merges.element.addEventListener("change", () => this.speak());
    this.merges.element.querySelector("input").before(this.part("curve"));
    this.part("slider").append(this.merges.element);
    this.moves = { "-1": button("Back", () => this.move(-1)), 1: button("Next", () => this.move(1)) };
    this.part("moves").append(h("span", {}, "Merges in this text:"), this.moves[-1].element, this.moves[1].element);
    this.turns = { "-1": button("‹", () => this.turn(-1)), 1: button("›", () => this.turn(1)) };
    this.turns[-1].element.setAttribute("aria-label", "Token before");
    this.turns[1].element.setAttribute("aria-label", "Token after");
    this.part("one").before(this.turns[-1].element);
    this.part("one").after(this.turns[1].element);
  }

  listen() {
    for (const event of ["focusin", "pointerdown"]) this.el.addEventListener(event, () => this.wake());
    this.field.addEventListener("input", () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.wake(), REST);
    });
    const examples = JSON.parse(this.part("given").textContent);
    this.part("examples").querySelectorAll("button").forEach((one, place) => one.addEventListener("click", () => {
      this.field.value = examples[place];
      this.wake();
    }));
    this.part("from").addEventListener("change", () => {
      this.from = this.part("from").querySelector("input[type=radio]:checked").value;
      this.show();
      this.speak();
    });
    this.listenToTokens(this.part("views"));
  }

  listenToTokens(views) {
    const at = (event) => {
      const piece = event.target.closest(".fm-piece[data-index]");
      const view = piece && this.views.find(({ box }) => box.contains(piece));
      return view ? [view, Number(piece.dataset.index)] : null;
    };
    for (const event of ["click", "focusin"]) {
      views.addEventListener(event, (happened) => at(happened) && this.choose(...at(happened)));
    }
    views.addEventListener("pointerover", (event) => {
      if (event.pointerType === "mouse" && at(event)) this.peek(...at(event));
    });
    views.addEventListener("pointerleave", () => this.token && this.peek(this.token.view, this.token.index));
    views.addEventListener("keydown", (event) => {
      if (!at(event) || !(event.key in WAYS)) return;
      event.preventDefault();
      this.turn(WAYS[event.key]);
      this.piece(this.token).focus();
    });
  }

  /** Load the tokenizers, when the reader first presses or enters something, and read the text. */
  async wake() {
    try {
      this.vocabularies ??= await Promise.all([...this.rows].map(async ([name, row]) => {
        const corpus = row.querySelector(".fm-tokens-corpus").textContent;
        return open(name, corpus, await fmkit.load(`tokenizers/${name}`));
      }));
    } catch (error) {
      this.part("note").textContent = error.message;
      return;
    }
    await this.read();
  }

  /** Read the text of the field, once. */
  read() {
    const typed = this.field.value;
    if (typed !== this.typed) this.reading = this.cut((this.typed = typed));
    return this.reading;
  }

  /** Cut a text with each tokenizer, unless another is typed meanwhile. */
  async cut(typed) {
    const text = typed.slice(0, LONGEST).replace(/\p{Surrogate}/gu, "\ufffd"); // half a character is no text
    const cuts = new Map();
    if (text.length > SHOWN) this.part("note").textContent = "Counting…";
    for (const { name, tokenizer } of this.vocabularies) {
      const found = await cut(text, tokenizer, () => typed === this.typed);
      if (!found) return;
      cuts.set(name, found);
    }
    this.cuts = cuts;
    this.characters = [...text].length;
    this.token = null;
    this.part("note").textContent = notesOn(typed, cuts.get(this.from).bytes, this.vocabularies[0].tokenizer);
    this.show();
    this.speak();
  }

  /** Use another number of merges; a slider may move more often than the screen can change. */
  use(count) {
    this.used = count;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.show());
  }

  /** Go to the next number of merges, or the one before, at which the text got other tokens. */
  async move(way) {
    await this.wake();
    if (!this.cuts) return;
    this.merges.offer(this.everyNumber, nextChange(this.lengths, this.used, way));
    this.use(this.merges.value());
    this.speak();
  }

  get lengths() {
    return this.cuts.get(this.from).lengths;
  }

  get chosen() {
    return this.vocabularies.find(({ name }) => name === this.from);
  }

  show() {
    if (!this.cuts) return;
    drawCurve(this.part("curve"), this.vocabularies, this);
    this.part("merge").replaceChildren(...describeMerge(this.chosen, this.lengths, this.used));
    for (const way of [-1, 1]) this.moves[way].enable(nextChange(this.lengths, this.used, way) !== undefined);
    this.showCounts();
    this.showViews();
  }

  showCounts() {
    const { bytes } = this.cuts.get(this.from), { characters } = this, tokens = this.lengths[this.used];
    const rate = tokens ? (characters / tokens).toFixed(2) : "–";
    const counts = { characters, bytes, tokens, rate, vocabulary: UNMERGED + this.used };
    for (const [name, count] of Object.entries(counts))
      this.el.querySelector(`[data-count=${name}]`).textContent = name === "rate" ? count : number(count);
    for (const [name, row] of this.rows) {
      const length = this.cuts.get(name).lengths[this.used];
      row.querySelector("i").style.width = `${(100 * length) / (bytes || 1)}%`;
      row.querySelector("output").textContent = many(length, "token");
    }
  }

  /** The tokens of the chosen tokenizer, or of all three. */
  showViews() {
    this.views = (this.all.checked ? this.vocabularies : [this.chosen]).map((vocabulary) => {
      const cut = this.cuts.get(vocabulary.name), tokens = tokensOf(cut, this.used);
      return { vocabulary, tokens, box: drawView(vocabulary, cut.lengths[this.used], tokens, this.used) };
    });
    this.part("views").replaceChildren(...this.views.map(({ box }) => box));
    const before = this.token;
    const view = this.views.find(({ vocabulary }) => vocabulary === before?.view.vocabulary)
      ?? this.views.find(({ vocabulary }) => vocabulary === this.chosen);
    this.choose(view, before ? at(view.tokens, before.place) : longest(view.tokens), before?.place);
  }

  piece({ view, index }) {
    return view.box.querySelector(`[data-index="${index}"]`);
  }

  /** Make a token the chosen one; it is the one with the byte at `place` also when the slider moves. */
  choose(view, index, place = view.tokens[index] && placeOf(view.tokens[index])) {
    if (this.token) this.piece(this.token)?.setAttribute("aria-selected", "false");
    for (const { box } of this.views) {
      const reached = box.querySelector('[tabindex="0"]'); // Tab goes to one token of each list
      if (box === view.box) reached?.setAttribute("tabindex", "-1");
      else if (!reached) box.querySelector(".fm-piece")?.setAttribute("tabindex", "0");
    }
    this.token = view.tokens[index] ? { view, index, place } : null;
    if (this.token) {
      this.piece(this.token).setAttribute("aria-selected", "true");
      this.piece(this.token).tabIndex = 0;
    }
    this.peek(view, index);
  }

  /** Explain a token: the chosen one, or one that is pointed at. */
  peek(view, index) {
    const token = view.tokens[index];
    this.part("one").replaceChildren(...(token ? letters(bytesOf(token)) : ["–"]));
    this.part("how").replaceChildren(...(token ? drawDetail(view.vocabulary, token, this.used) : [this.hint]));
    for (const way of [-1, 1]) this.turns[way].enable(Boolean(view.tokens[index + way]));
  }

  /** Choose the token `way` after the chosen one; the first or the last of all if that is not there. */
  turn(way) {
    if (!this.token) return;
    const { view, index } = this.token;
    this.choose(view, Math.min(Math.max(index + way, 0), view.tokens.length - 1));
    this.piece(this.token).scrollIntoView({ block: "nearest" });
  }

  /** What changed, in words, once it is drawn: when the reader rests, not at every step of a drag. */
  speak() {
    if (!this.cuts) return;
    requestAnimationFrame(() => {
      const [tokens, merges] = [many(this.lengths[this.used], "token"), many(this.used, "merge")];
      const said = `${tokens} with ${merges}: ${this.chosen.corpus}. ${this.part("merge").textContent}`;
      this.el.querySelector(".fm-spoken").textContent = said;
    });
  }
}

/** What this page needs of a tokenizer, from the data of its file. */
function open(name, corpus, data) {
  const tokenizer = new Tokenizer(data);
  const ids = new Map([...tokenizer.contents].map(([id, bytes]) => [String(bytes), id]));
  return { name, corpus, tokenizer, merges: data.merges, idOf: (bytes) => ids.get(String(bytes)) };
}

const placeOf = ({ word, start }) => word.place + start;
const at = (tokens, place) => tokens.findIndex(({ word, end }) => word.place + end > place);

/** The index of the first of the longest tokens. */
function longest(tokens) {
  const length = ({ start, end }) => end - start;
  return tokens.reduce((best, token, index) => (length(token) > length(tokens[best]) ? index : best), 0);
}

/** The nearest number of merges on one side at which the text gets other tokens than with one merge less. */
function nextChange(lengths, used, way) {
  const changes = lengths.flatMap((length, count) => (length === lengths[count - 1] ? [] : [count]));
  return way > 0 ? changes.find((count) => count > used) : changes.findLast((count) => count < used);
}

/** What the last of the merges that are used does. */
function describeMerge({ merges, tokenizer }, lengths, used) {
  if (!used) return ["No merges: every byte is a token."];
  const [left, right] = merges[used - 1].map((id) =>
    h("span", { class: "fm-piece" }, ...letters(Uint8Array.from(tokenizer.bytes(id)))));
  const times = lengths[used - 1] - lengths[used];
  const here = ["not in this text", "once in this text"][times] ?? `${number(times)} times in this text`;
  return [`Merge ${number(used)} joins `, left, " and ", right, `: ${here}.`];
}

/** What a reader should know of a text: how much of it is read and shown, and what in it looks special. */
function notesOn(text, bytes, tokenizer) {
  const names = [...tokenizer.special.keys(), ...ROLES].filter((name) => text.includes(name));
  return [
    text ? "" : "No text: type one, or choose an example.",
    text.length > LONGEST ? `Only the first ${number(LONGEST)} of ${number(text.length)} characters are read.` : "",
    /\p{Surrogate}/u.test(text) ? "Half a character was replaced by \ufffd." : "",
    bytes > SHOWN ? `All tokens are counted; those of the first ${number(SHOWN)} bytes are shown.` : "",
    names.length
      ? `${names.join(", ")}: in a text, ordinary characters. Only a program can put in a special token.`
      : "",
  ].filter(Boolean).join(" ");
}

export default { render: ({ el }) => void new Explorer(el) };
