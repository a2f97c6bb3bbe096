// One model's answer: its text as tokens, the probability of each and what else was considered, and how it went. What
// a model writes only ever becomes text.
import { h } from "./dom.js";

const SHOWN = 5; // alternatives to a token
const TIMED = 10; // tokens that a speed needs
const TAIL = 60; // characters of the prompt in front of an answer
const DARKEST = 7; // bits of surprise at which a token has its strongest tint: a probability of 1 in 128
const WAYS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };
const MARKS = { " ": "·", "\n": "↵", "\t": "⇥" };

export const percent = (p) => (p >= 0.9995 ? ">99.9%" : p < 0.0005 ? "<0.1%" : `${(100 * p).toFixed(1)}%`);
const visible = (text) => text.replace(/[ \n\t]/g, (one) => MARKS[one]);

/** A column of the lab. */
export class Answer {
  constructor(name, kind) {
    this.name = name;
    this.state = h("p", { class: "fm-answer-state" });
    this.prompt = h("span", { class: "fm-answer-prompt" });
    this.list = h("span", { class: "fm-answer-tokens" });
    this.end = h("span", { class: "fm-answer-end" });
    this.judgment = h("p", { class: "fm-answer-verdict" });
    this.facts = h("dl");
    this.panel = h("div", { class: "fm-answer-panel" });
    const text = h("p", { class: "fm-answer-text" }, this.prompt, this.list, this.end);
    this.element = h("section", { class: "fm-answer", "data-kind": kind, "aria-label": `Answer of ${name}` },
      h("p", {}, h("b", {}, name)), this.state, text, this.judgment, this.facts, this.panel);
    this.listen();
    this.clear();
  }

  listen() {
    const at = (event) => this.spans.indexOf(event.target.closest("[role=option]"));
    for (const event of ["click", "focusin"]) {
      this.list.addEventListener(event, (happened) => at(happened) >= 0 && this.choose(at(happened)));
    }
    this.list.addEventListener("pointerover", (happened) => {
      if (happened.pointerType === "mouse" && at(happened) >= 0) this.draw(at(happened));
    });
    this.list.addEventListener("pointerleave", () => this.draw(this.chosen));
    this.element.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    if (event.key === "Escape") return this.choose(null);
    if (!(event.key in WAYS) || !this.list.contains(event.target)) return;
    event.preventDefault();
    const here = this.spans.indexOf(event.target);
    this.spans[Math.min(Math.max(here + WAYS[event.key], 0), this.spans.length - 1)].focus();
  }

  /** Nothing is written yet. */
  clear() {
    Object.assign(this, { tokens: [], spans: [], times: [], chosen: null });
    this.decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const filled = [this.list, this.judgment, this.facts, this.prompt, this.end, this.state];
    for (const part of filled) part.replaceChildren();
    this.list.removeAttribute("role");
    this.element.classList.remove("failed");
    this.draw(null);
  }

  /** Say what goes on. */
  wait(message) {
    this.state.textContent = message;
  }

  /** Say why there is no answer, or no more of one. */
  fail(message) {
    this.element.classList.add("failed");
    this.state.textContent = message;
  }

  /** The model begins: what it is asked, and in which layout. */
  begin(model, prompt, isChat) {
    this.tokenizer = model.tokenizer;
    this.state.textContent = isChat ? "gets the prompt as a chat message" : "continues the prompt";
    this.prompt.textContent = prompt.length > TAIL ? `… ${prompt.slice(-TAIL).replace(/^\S*\s/, "")}` : prompt;
    if (isChat) this.prompt.append(h("br"));
    this.list.setAttribute("aria-label", `Tokens of ${this.name}’s answer`);
  }

  /** A token that the model has written. A character may take several: it appears with the last of them. */
  add(token) {
    const text = this.decoder.decode(new Uint8Array(this.tokenizer.bytes(token.id)), { stream: true });
    const label = `${text.trim() || this.nameOf(token.id)}, ${percent(token.p)}`;
    const strength = Math.min(-Math.log2(token.p) / DARKEST, 1);
    const span = h("span", {
      role: "option", tabindex: this.spans.length ? -1 : 0, "aria-selected": "false", "aria-label": label,
      style: `--strength: ${(100 * strength).toFixed(0)}%`,
    }, text);
    this.times.push(performance.now());
    this.tokens.push(token);
    this.spans.push(span);
    this.list.setAttribute("role", "listbox");
    this.list.append(span);
  }

  /** The text of all tokens so far. */
  get text() {
    return this.tokenizer.decode(this.tokens.map(({ id }) => id));
  }

  /** The answer is whole; `ended` tells one that the model ended from one that was cut off. */
  finish(ended) {
    this.end.textContent = ended ? " ■" : " …";
    this.end.title = ended ? "The model ended its text here" : "Cut off here";
    const count = this.tokens.length, log = this.tokens.reduce((sum, { p }) => sum + Math.log(p), 0) / count;
    const facts = {
      tokens: String(count),
      "tokens/s": this.speed,
      perplexity: count ? Math.exp(-log).toFixed(2) : "–",
      "mean probability": count ? percent(Math.exp(log)) : "–",
    };
    this.facts.replaceChildren(...Object.entries(facts).map(([name, value]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    if (count && this.chosen === null) this.choose(0);
  }

  /** Tokens per second from the first token to the last. */
  get speed() {
    const seconds = (this.times.at(-1) - this.times[0]) / 1000, made = this.times.length - 1;
    return made >= TIMED && seconds > 0 ? Math.round(made / seconds).toLocaleString("en-US") : "–";
  }

  /** Mark the first word that the story world would not write after the prompt. */
  judge({ right, wrong, expected, more, valid, unfinished }, prompt, ended) {
    const words = `${expected.join(", ")}${more ? `, or ${more} other${more > 1 ? "s" : ""}` : ""}`;
    const wanted = `Expected in the story world: ${words}`;
    if (valid) return this.say("fm-true", "A true story of the world, from beginning to end.");
    if (unfinished && !ended) return this.say("fm-true", "True in the story world so far.");
    if (unfinished) return this.say("fm-wrong", "It ends too early.", h("br"), wanted);
    const start = right.length - prompt.length, end = start + wrong.length;
    let at = 0;
    for (const span of this.spans) {
      const from = at;
      at += span.textContent.length;
      span.classList.toggle("fm-wrong", from < end && at > start && span.textContent.trim() !== "");
    }
    this.say("fm-wrong", "First wrong word: ", h("b", {}, wrong.trim().replace(/(\p{L})[.,!?"]+$/u, "$1")), h("br"), wanted);
  }

  say(mark, ...parts) {
    this.judgment.replaceChildren(h("span", { class: mark }, mark === "fm-true" ? "✓ " : "✗ "), ...parts);
  }

  choose(index) {
    if (this.chosen !== null) this.spans[this.chosen].setAttribute("aria-selected", "false");
    this.chosen = index;
    if (index !== null) {
      this.spans.forEach((span, other) => { span.tabIndex = other === index ? 0 : -1; });
      this.spans[index].setAttribute("aria-selected", "true");
    }
    this.draw(index);
  }

  /** The panel of a token: its probability and rank, and the likeliest tokens with bars. */
  draw(index) {
    this.spans.forEach((span, other) => span.classList.toggle("fm-shown", other === index));
    if (index === null) return void this.panel.replaceChildren(h("p", {}, this.tokens.length ? "Choose a token." : ""));
    const { id, p, top } = this.tokens[index];
    const rank = top.findIndex(([other]) => other === id) + 1;
    const rows = rank > SHOWN || !rank ? [...top.slice(0, SHOWN - 1), [id, p]] : top.slice(0, SHOWN);
    const place = rank === 1 ? "the likeliest" : rank ? `number ${rank}` : `not among the first ${top.length}`;
    this.panel.replaceChildren(
      h("p", {}, h("b", {}, this.nameOf(id)), ` ${percent(p)}, ${place}`),
      h("ol", {}, ...rows.map((row) => this.drawRow(row, id, top[0][1]))));
  }

  drawRow([id, p], chosen, most) {
    return h("li", { class: id === chosen ? "chosen" : null },
      h("span", {}, this.nameOf(id)),
      h("i", { style: `width: ${((100 * p) / Math.max(most, 1e-9)).toFixed(1)}%` }),
      h("span", {}, percent(p)));
  }

  /** A token to read: its text with its blanks to see, a special one's name, or its bytes. */
  nameOf(id) {
    const special = [...this.tokenizer.special].find(([, other]) => other === id);
    if (special) return special[0] === "<|eos|>" ? "(the end)" : special[0];
    const text = this.tokenizer.decode([id]);
    if (!text.includes("\ufffd")) return visible(text);
    return this.tokenizer.bytes(id).map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
  }
}
