// Where each head of a model looks in the reader's text. What the reader types only ever becomes text.
import { openModel } from "./engine.js";
import { describeChange, describeExpected, difference, drawExpected } from "./expected.js";
import { drawHead, drawMeasures, drawTable, percent, Weights } from "./heads.js";
import { button } from "./controls.js";
import { h } from "./dom.js";

const ALONG = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };
const LOOKED = 3; // tokens that a sentence names
const SEEN = 0.005; // a weight that is shown: 1% when rounded
const REST = 250; // milliseconds until a screen reader hears the sentence
const BLANKS = { " ": "·", "\n": "↵", "\t": "⇥" };

class Explorer {
  constructor(el) {
    this.el = el;
    this.field = el.querySelector("textarea");
    this.send = this.part("send").querySelector("button");
    this.examples = JSON.parse(this.part("given").textContent);
    this.buttons = [...this.part("examples").children];
    this.read = null; // what is shown: { text, ids, weights, predicted }
    this.before = null; // what was shown before the reader changed the text
    this.asked = 0; // the number of the last request: the answer to an earlier one comes too late
    this.take(0);
    this.listen();
  }

  part(name) {
    return this.el.querySelector(`.fm-attention-${name}`);
  }

  listen() {
    this.el.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.readField();
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.readField();
    });
    this.buttons.forEach((one, number) => one.addEventListener("click", () => {
      this.take(number);
      if (this.model) this.readText(this.example.text, null);
    }));
  }

  /** Make an example the text, and its head the chosen one. */
  take(number) {
    this.example = this.examples[number];
    this.head = this.example.head.map((one) => one - 1);
    this.field.value = this.example.text;
    this.buttons.forEach((one, at) => one.setAttribute("aria-pressed", at === number));
  }

  async readField() {
    if (await this.open()) this.readText(this.field.value);
  }

  /** Open the model, once. Returns whether it is there. */
  async open() {
    if (this.model || this.opening) return Boolean(this.model);
    this.opening = true;
    this.note("Opening the model…");
    this.send.setAttribute("aria-disabled", "true");
    try {
      this.model = await openModel(this.el.dataset.model);
      this.send.textContent = "Read this text";
      this.build();
    } catch (error) {
      this.note(error.message);
    }
    this.opening = false;
    this.send.removeAttribute("aria-disabled");
    return Boolean(this.model);
  }

  /** Read a text, and show it beside `before`, which is null for a new start. */
  async readText(text, before = this.read) {
    if (!text.trim()) return this.note("Write a text first, or choose an example.");
    if (/\p{Surrogate}/u.test(text)) {
      return this.note("There is half a character in the text (a lone surrogate). Delete it and read again.");
    }
    await this.readIds(text, this.idsOf(text), before);
  }

  idsOf(text) {
    const { tokenizer } = this.model;
    return [tokenizer.id("<|bos|>"), ...tokenizer.encode(text)];
  }

  async readIds(text, ids, before) {
    const asked = ++this.asked;
    try {
      const { predicted, ...found } = await this.model.attention(ids);
      if (asked !== this.asked) return;
      this.before = before;
      this.read = { text, ids, predicted, weights: new Weights(found) };
      this.field.value = text;
      this.note("");
      this.show();
    } catch (error) {
      if (asked === this.asked) this.note(error.message);
    }
  }

  note(text) {
    this.part("note").textContent = text;
  }

  /** The parts of an answer: made once, so that the focus stays where it is. */
  build() {
    this.turns = [["‹", "Token before", -1], ["›", "Token after", 1]].map(([sign, name, way]) => {
      const turn = button(sign, () => this.choose(this.token + way));
      turn.element.setAttribute("aria-label", name);
      return turn;
    });
    this.removal = button("Remove", () => this.remove());
    this.back = button("Undo", () => this.readIds(this.before.text, this.before.ids, this.read));
    const actions = [...this.turns, this.removal, this.back].map(({ element }) => element);
    const part = (name, tag = "div", attributes = {}, ...children) =>
      h(tag, { class: `fm-attention-${name}`, ...attributes }, ...children);
    const tokens = { role: "listbox", "aria-label": "Tokens of the text", "aria-orientation": "horizontal" };
    const heads = { role: "radiogroup", "aria-label": "Head" };
    const caption = "In a picture, rows are tokens and columns what they look at; the stronger the color, the "
      + "more. Below it: where the chosen token looks most.";
    this.part("stage").replaceChildren(
      part("task", "div", {}, part("shows", "p"), part("change", "p", { role: "status" }), part("tries")),
      part("sentence", "p"),
      part("tokens", "div", tokens),
      part("actions", "div", {}, ...actions),
      part("columns", "div", {},
        h("div", {}, part("heads", "div", heads), part("caption", "p", {}, caption)),
        part("measures", "table")),
      part("next"),
      h("details", { ontoggle: () => this.showTable() },
        h("summary", {}, "All weights of the chosen token"),
        part("table", "div", { tabindex: 0, role: "region", "aria-label": "Weights" })),
    );
    this.listenToTokens(this.part("tokens"));
    this.listenToHeads(this.part("heads"));
    new MutationObserver(() => this.paint()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  listenToTokens(list) {
    const at = (event) => [...list.children].indexOf(event.target.closest("[role=option]"));
    list.addEventListener("click", (event) => at(event) >= 0 && this.choose(at(event)));
    list.addEventListener("pointerover", (event) => {
      if (event.pointerType === "mouse" && at(event) >= 0) this.peek(at(event));
    });
    list.addEventListener("pointerleave", () => this.peek(this.token));
    list.addEventListener("keydown", (event) => {
      if (event.key === "Delete" || event.key === "Backspace") this.remove();
      else if (event.key in ALONG) this.choose(this.token + ALONG[event.key]);
      else return;
      event.preventDefault();
      list.children[this.token].focus();
    });
  }

  listenToHeads(grid) {
    grid.addEventListener("click", (event) => {
      const at = this.cells.indexOf(event.target.closest("[role=radio]"));
      if (at >= 0) this.chooseHead(at);
    });
    grid.addEventListener("keydown", (event) => {
      const { heads } = this.read.weights;
      const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -heads, ArrowDown: heads };
      if (!(event.key in steps)) return;
      event.preventDefault();
      const next = this.cells.indexOf(event.target) + steps[event.key];
      if (!this.cells[next]) return;
      this.chooseHead(next);
      this.cells[next].focus();
    });
  }

  /** The text of a token, its blanks as marks, or its bytes where it is no text. */
  marked(id) {
    const { tokenizer } = this.model, bytes = tokenizer.bytes(id);
    if (!bytes.length) return [...tokenizer.special].find(([, one]) => one === id)?.[0] ?? `number ${id}`;
    const text = tokenizer.decode([id]);
    if (!text.includes("\ufffd")) return text.replace(/[ \n\t]/g, (blank) => BLANKS[blank]);
    return bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
  }

  /** The same without the space before a word. */
  named(id) {
    return this.marked(id).replace(/^·(?=.)/u, "");
  }

  nameAt(token) {
    return this.named(this.read.ids[token]);
  }

  /** Show an answer: its text, all heads, and what comes next. */
  show() {
    const { ids } = this.read, list = this.part("tokens"), focused = list.contains(document.activeElement);
    const begins = (id) => id === undefined || this.marked(id).startsWith("·");
    list.replaceChildren(...ids.map((id, at) => h("span", {
      role: "option", tabindex: -1, "aria-selected": "false", class: (at === 0 || begins(ids[at + 1])) && "fm-last",
    }, h("span", {}, this.named(id)), h("small", {}))));
    this.drawHeads();
    this.showTask();
    this.part("next").replaceChildren(...this.drawNext());
    this.back.enable(Boolean(this.before));
    this.choose(ids.length - 1);
    this.showMeasures();
    if (focused) list.children[this.token].focus();
  }

  /** What an example or a change of it shows, what comes next, and the changes to try. */
  showTask() {
    const { changes } = this.example, { text, predicted } = this.read, named = (id) => this.named(id);
    const found = [this.example, ...changes].find((one) => one.text === text);
    this.part("shows").textContent = found?.shows ?? "Your own text: choose a token, and then a head.";
    this.part("change").textContent = this.before
      ? describeChange(this.before.predicted, predicted, named)
      : describeExpected(predicted, named);
    this.part("tries").replaceChildren(...(found ? changes : []).map((change) => {
      const { element } = button(change.label, () => this.compare(change));
      element.setAttribute("aria-pressed", change === found);
      return element;
    }));
  }

  /** Read a change of the example beside the example itself. */
  async compare({ text }) {
    const number = this.example.changes.findIndex((change) => change.text === text);
    if (this.read.text !== this.example.text) await this.readText(this.example.text, null);
    await this.readText(text);
    this.part("tries").children[number]?.focus();
  }

  drawNext() {
    const { read, before } = this, marked = (id) => this.marked(id);
    const draw = (title, about, { predicted }) => drawExpected(title, about, predicted, marked);
    if (!before) {
      const hint = "Remove a token, or change the text and read it again, to compare with what was expected.";
      return [draw("The next token", "of this text", read), h("p", {}, hint)];
    }
    const about = (one, other) => {
      const own = difference(one.ids, other.ids), ids = own.length ? own : difference(other.ids, one.ids);
      const changed = this.model.tokenizer.decode(ids).trim();
      return ids.length ? `${own.length ? "with" : "without"} “${changed}”` : "the same text";
    };
    return [draw("The next token", about(read, before), read), draw("Before the change", about(before, read), before)];
  }

  drawHeads() {
    const { layers, heads, all } = this.read.weights, grid = this.part("heads");
    grid.style.setProperty("--heads", heads);
    grid.style.setProperty("--length", this.read.ids.length);
    this.cells = all.map(([layer, head]) => h("button", {
      type: "button", role: "radio", "data-name": `Layer ${layer + 1}, head ${head + 1}`,
    }, h("span", {}, h("canvas", { "aria-hidden": "true" })), h("small", {})));
    const names = Array.from({ length: heads }, (_, head) => h("span", {}, `head ${head + 1}`));
    const rows = Array.from({ length: layers }, (_, layer) =>
      [h("span", {}, `layer ${layer + 1}`), ...this.cells.slice(layer * heads, (layer + 1) * heads)]);
    grid.replaceChildren(h("span", {}), ...names, ...rows.flat());
    this.paint();
  }

  /** The pictures of the heads, in the color of the page. */
  paint() {
    if (!this.read) return;
    const { weights } = this.read, { color } = getComputedStyle(this.part("heads"));
    weights.all.forEach((head, at) => drawHead(this.cells[at].querySelector("canvas"), weights, head, color));
  }

  /** Choose a token: where it looks stays shown. It is the first or the last if there is no such token. */
  choose(token) {
    const last = this.read.ids.length - 1;
    this.token = Math.min(Math.max(token, 0), last);
    [...this.part("tokens").children].forEach((one, at) => {
      one.setAttribute("aria-selected", at === this.token);
      one.tabIndex = at === this.token ? 0 : -1;
    });
    this.removal.element.textContent = `× Remove “${this.nameAt(this.token)}”`;
    this.removal.enable(this.removable);
    this.turns[0].enable(this.token > 0);
    this.turns[1].enable(this.token < last);
    this.peek(this.token);
    this.showTable();
    this.speak();
  }

  chooseHead(at) {
    this.head = this.read.weights.all[at];
    this.peek(this.token);
    this.showMeasures();
    this.speak();
  }

  /** Show where a token looks: the chosen one, or one that is pointed at. */
  peek(token) {
    const { weights } = this.read, row = weights.row(this.head, token);
    [...this.part("tokens").children].forEach((one, at) => {
      one.classList.toggle("fm-from", at === token);
      one.classList.toggle("fm-later", at > token);
      one.style.setProperty("--weight", row[at] ?? 0);
      one.querySelector("small").textContent = row[at] >= SEEN ? percent(row[at]) : "";
    });
    this.part("heads").style.setProperty("--token", token);
    weights.all.forEach((head, at) => this.label(this.cells[at], head, token));
    this.part("sentence").textContent = this.describe(token);
  }

  /** Say of a head where a token looks most. */
  label(cell, head, token) {
    const [[target, weight]] = this.read.weights.top(head, token, 1), name = this.nameAt(target);
    const chosen = String(head) === String(this.head);
    cell.querySelector("small").replaceChildren(h("span", {}, name), ` ${percent(weight)}`);
    cell.setAttribute("aria-label", `${cell.dataset.name}: “${name}” ${percent(weight)}`);
    cell.setAttribute("aria-checked", chosen);
    cell.tabIndex = chosen ? 0 : -1;
  }

  /** Where a token looks, in a sentence. */
  describe(token) {
    const looked = this.read.weights.top(this.head, token, LOOKED).filter(([, weight]) => weight >= SEEN);
    const where = looked.map(([at, weight]) => `“${this.nameAt(at)}” ${percent(weight)}`).join(", ");
    const [layer, head] = this.head.map((one) => one + 1);
    return `In layer ${layer}, head ${head}, “${this.nameAt(token)}” (token ${token + 1}) looks at ${where}.`;
  }

  /** Say it to a screen reader, when the reader rests. */
  speak() {
    clearTimeout(this.speaking);
    const say = () => (this.el.querySelector(".fm-spoken").textContent = this.describe(this.token));
    this.speaking = setTimeout(say, REST);
  }

  showMeasures() {
    drawMeasures(this.part("measures"), this.read.weights, this.head, this.read.ids);
  }

  showTable() {
    const { weights, ids } = this.read, { open } = this.el.querySelector("details");
    const names = ids.map((id) => this.named(id));
    this.part("table").replaceChildren(...(open ? [drawTable(weights, this.token, names)] : []));
  }

  /** Whether the chosen token may go: the start stays, and one token with it. */
  get removable() {
    return this.token > 0 && this.read.ids.length > 2;
  }

  /** Read the text without the chosen token. */
  async remove() {
    if (!this.removable) return;
    const ids = this.read.ids.filter((_, at) => at !== this.token);
    await this.readIds(this.model.tokenizer.decode(ids), ids, this.read);
  }
}

export default { render: ({ el }) => void new Explorer(el) };
