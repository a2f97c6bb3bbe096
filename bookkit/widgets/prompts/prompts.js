// Models answer one prompt, side by side. Each is loaded when it is first asked, and closed when it is no longer shown.
import { Answer } from "./answer.js";
import { button, slider } from "./controls.js";
import { h } from "./dom.js";

const AT_ONCE = 3; // models of the book
const LONGEST = 20_000; // characters of a prompt, more than any model of a page can read
const LARGEST = 1e9; // bytes of a file
const TEMPERATURES = [0, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.5, 2];
const LENGTHS = [10, 20, 40, 60, 80, 100, 150, 200, 250];
const OWN = "own";
const IN_SIGHT = 0.7; // of the window's height: answers that begin further down are brought up

const number = (value) => value.toLocaleString("en-US");
const list = (names) => new Intl.ListFormat("en-US").format(names);

class Lab {
  constructor(el) {
    this.el = el;
    this.field = el.querySelector("textarea");
    this.cards = new Map([...el.querySelectorAll(".fm-prompts-model")].map((card) => [card.dataset.name, card]));
    this.models = new Map(); // promises of models, by name
    this.answers = new Map(); // columns, by name
    this.addControls();
    this.listen();
    this.showCards();
  }

  part(name) {
    return this.el.querySelector(`.fm-prompts-${name}`);
  }

  addControls() {
    const temperature = slider({ label: "Temperature", unit: "", onchange: () => this.showSeed() });
    const length = slider({ label: "Length", unit: "tokens at most", onchange: () => {} });
    temperature.offer(TEMPERATURES, 0);
    length.offer(LENGTHS, 100);
    this.seed = h("input", { type: "number", min: 0, max: 2 ** 32 - 1, step: 1, value: 0, inputmode: "numeric" });
    const another = button("Another seed", () => {
      this.seed.value = Math.floor(Math.random() * 10_000);
      this.ask();
    });
    this.part("controls").prepend(temperature.element, length.element);
    this.part("seed").append(h("label", {}, "Seed", this.seed), another.element, h("small", {}));
    this.run = button("Run", () => this.ask(), "fm-primary");
    this.stop = button("Stop", () => this.stopping?.abort());
    this.part("press").append(this.run.element, this.stop.element);
    this.stop.enable(false);
    Object.assign(this, { temperature, length, another });
    this.showSeed();
  }

  /** At temperature 0 nothing is left to chance. */
  showSeed() {
    const chance = this.temperature.value() > 0;
    this.another.enable(chance);
    this.part("seed").lastChild.textContent = chance ? "" : "At temperature 0 the seed changes nothing.";
  }

  listen() {
    this.field.addEventListener("keydown", ({ key, ctrlKey, metaKey }) => {
      if (key === "Enter" && (ctrlKey || metaKey)) this.ask();
    });
    this.part("suggested").querySelectorAll("button").forEach((one) => one.addEventListener("click", () => {
      this.field.value = one.dataset.prompt;
      const models = one.dataset.models.split(" ");
      if (models.length > 1) this.choose(models);
      this.ask();
    }));
    this.part("models").addEventListener("change", (event) => event.target.type === "checkbox" && this.showCards());
    const file = this.part("file").querySelector("input");
    file.addEventListener("change", () => file.files.length && this.open(file.files[0]));
    this.el.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.cards.get(OWN).classList.add("over");
    });
    this.el.addEventListener("dragleave", () => this.cards.get(OWN).classList.remove("over"));
    this.el.addEventListener("drop", (event) => {
      this.cards.get(OWN).classList.remove("over");
      if (!event.dataTransfer.files.length) return; // a text goes into the field
      event.preventDefault();
      this.open(event.dataTransfer.files[0]);
    });
  }

  boxOf(name) {
    return this.cards.get(name).querySelector("input[type=checkbox]");
  }

  /** The names of the models to ask, in their order. */
  get chosen() {
    return [...this.cards.keys()].filter((name) => this.boxOf(name).checked);
  }

  /** Choose models of the book; the reader's own stays as it is. */
  choose(names) {
    for (const name of this.cards.keys()) if (name !== OWN) this.boxOf(name).checked = names.includes(name);
    this.showCards();
  }

  /** Offer what can be chosen, and let go of models that are not. */
  showCards() {
    const chosen = this.chosen, full = chosen.filter((name) => name !== OWN).length >= AT_ONCE;
    for (const [name, card] of this.cards) {
      if (name !== OWN) this.boxOf(name).disabled = full && !chosen.includes(name);
      card.classList.toggle("chosen", chosen.includes(name));
      if (!chosen.includes(name)) this.close(name);
    }
  }

  /** Close a model's worker and its column. */
  close(name) {
    this.answers.get(name)?.element.remove();
    this.answers.delete(name);
    this.models.get(name)?.then((model) => model.close(), () => {});
    this.models.delete(name);
  }

  /** The promise of a model, which is loaded once; a failed attempt can be repeated. */
  model(name) {
    if (!this.models.has(name)) {
      const opened = fmkit.load("engine").then(({ openModel }) => openModel(name === OWN ? this.file : name));
      this.models.set(name, opened);
      opened.catch(() => this.models.get(name) === opened && this.models.delete(name));
    }
    return this.models.get(name);
  }

  /** Open a model of the reader's own, instead of the one before. */
  async open(file) {
    const card = this.cards.get(OWN), box = this.boxOf(OWN);
    Object.assign(box, { checked: false, disabled: true });
    this.showCards(); // which closes the one before
    this.file = file;
    this.say(`Opening ${file.name}…`);
    try {
      if (file.size > LARGEST) throw new Error("It is too large for a page.");
      const model = await this.model(OWN);
      if (file !== this.file) return; // another was chosen meanwhile
      card.querySelector("b").textContent = file.name;
      card.querySelector(".fm-prompts-what").textContent = "from your computer";
      const size = `${number(model.parameters)} parameters, ${number(Math.round(model.bytes / 1000))} kB`;
      card.querySelector("small").textContent = size;
      Object.assign(box, { checked: true, disabled: false });
      this.showCards();
      this.say(`${file.name} is open. Press Run.`);
    } catch (error) {
      if (file === this.file) this.say(`${file.name} was not opened. ${error.message}`, true);
    }
  }

  say(message, wrong = false) {
    this.part("status").textContent = message;
    this.part("status").classList.toggle("wrong", wrong);
  }

  /** Ask every chosen model, one after the other, so that each can be timed. */
  async ask() {
    const prompt = this.field.value.replace(/\p{Surrogate}/gu, "\ufffd").trimEnd(); // a token begins with its space
    const names = this.chosen;
    if (!names.length) return this.say("Choose a model.", true);
    const { length } = prompt;
    if (length > LONGEST) return this.say(`The prompt has ${number(length)} characters: shorten it.`, true);
    this.stopping?.abort();
    this.seed.value = this.seedValue; // the one that is used
    const { signal } = this.stopping = new AbortController();
    this.start(names);
    for (const name of names) if (!signal.aborted) await this.answer(name, prompt, signal);
    if (signal !== this.stopping.signal) return; // another run has begun
    this.run.enable(true);
    this.stop.enable(false);
    this.el.removeAttribute("aria-busy");
    this.tell(names, signal.aborted);
  }

  /** Show a column for each model, and load them all. */
  start(names) {
    this.run.enable(false);
    this.stop.enable(true);
    this.el.setAttribute("aria-busy", "true");
    for (const name of names) {
      if (!this.answers.has(name)) {
        const { kind } = this.cards.get(name).dataset;
        this.answers.set(name, new Answer(this.titleOf(name), kind));
      }
      const answer = this.answers.get(name);
      answer.clear();
      answer.wait(this.models.has(name) ? "Waiting for its turn…" : `Loading ${this.sizeOf(name)}…`);
      this.model(name).catch(() => {}); // `answer` says what went wrong
    }
    this.part("answers").replaceChildren(...names.map((name) => this.answers.get(name).element));
    this.say(`Asking ${list(names.map((name) => this.titleOf(name)))}…`);
    if (this.part("answers").getBoundingClientRect().top > innerHeight * IN_SIGHT) this.part("status").scrollIntoView();
  }

  titleOf(name) {
    return this.cards.get(name).querySelector("b").textContent;
  }

  sizeOf(name) {
    return this.cards.get(name).querySelector("small").textContent.split(", ")[1];
  }

  async answer(name, prompt, signal) {
    const answer = this.answers.get(name);
    try {
      const [model, { idsOf, isChat }] = await Promise.all([this.model(name), fmkit.load("asking")]);
      if (signal.aborted) return answer.wait("Stopped.");
      answer.begin(model, prompt, isChat(model.tokenizer));
      const maxNewTokens = this.length.value(), ids = idsOf(prompt, model.tokenizer);
      const options = { maxNewTokens, temperature: this.temperature.value(), seed: this.seedValue, signal };
      const made = await model.generate(ids, { ...options, ontoken: (token) => signal.aborted || answer.add(token) });
      if (signal !== this.stopping.signal) return; // another run has begun
      const room = model.config.max_position_embeddings - ids.length;
      const ended = !signal.aborted && made.length < Math.min(maxNewTokens, room);
      answer.finish(ended);
      if (!isChat(model.tokenizer)) await this.judge(answer, model, prompt, ended);
    } catch (error) {
      const shown = this.answers.get(name) === answer && signal === this.stopping.signal;
      if (shown) answer.fail(error.message); // else the reader has closed it, or asks something else
    }
  }

  /** The story world's verdict, if the prompt is the beginning of a story. */
  async judge(answer, model, prompt, ended) {
    const begun = await model.judge(prompt);
    if (begun.valid || begun.unfinished) answer.judge(await model.judge(prompt + answer.text), prompt, ended);
  }

  get seedValue() {
    return Math.min(Math.max(Math.floor(this.seed.valueAsNumber) || 0, 0), 2 ** 32 - 1);
  }

  /** Say how the run ended, and read the answers out. */
  tell(names, stopped) {
    const shown = names.map((name) => this.answers.get(name)).filter(Boolean);
    const done = shown.filter((answer) => answer.tokens.length);
    const failed = shown.filter((answer) => answer.element.classList.contains("failed"));
    const end = failed.length ? `${list(failed.map((answer) => answer.name))} could not answer.` : "Finished.";
    this.say(stopped ? "Stopped." : end, failed.length > 0);
    this.part("spoken").textContent = done.map((answer) => `${answer.name} wrote: ${answer.text}`).join(" ");
  }
}

export default { render: ({ el }) => new Lab(el) };
