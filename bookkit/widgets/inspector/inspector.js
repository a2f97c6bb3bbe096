// A record of the reader's as a model sees it. What the reader types only ever becomes text.
import { Tokenizer } from "./tokenizer.js";
import { flatten, IGNORE, lastAnswer, segmentsOfChat, segmentsOfCompletion, segmentsOfText } from "./chat.js";
import { checkRecord } from "./bedrock.js";
import { readExample } from "./examples.js";
import { KNOWN } from "./fields.js";
import { parseJson, Problem } from "./problems.js";
import { h } from "./dom.js";

const LONGEST = 100_000; // characters of a record that the page reads
const MOST = 400; // tokens of an example that it shows
const SHOWN = 100; // faults
const REST = 250; // milliseconds without a key until it reads again

function render({ el, data }) {
  const tokenizer = new Tokenizer(data);
  const context = Number(el.dataset.context);
  const [samples, formats] = ["samples", "formats"].map((name) => JSON.parse(part(name).textContent));
  Object.assign(KNOWN, JSON.parse(part("fields").textContent));
  const field = el.querySelector("textarea");
  const [sample, check] = ["sample", "check"].map((name) => part(name).querySelector("select"));
  const [copy, status, faults, views] = ["record", "status", "faults", "views"].map(part);
  let waiting = 0;

  function part(name) {
    return el.querySelector(`.fm-inspector-${name}`);
  }

  function show() {
    clearTimeout(waiting);
    copy.textContent = field.value.slice(0, LONGEST);
    const format = formats.find((one) => one.name === check.value);
    const { example, problems } = inspect(field.value, format, tokenizer);
    const shown = example ? viewsOf(example, tokenizer).map((view) => count(view, context)) : [];
    const verdict = isDropped(shown) && !problems.length ? "" : say(field.value, problems);
    status.textContent = [describe(example, shown, context), verdict].filter(Boolean).join(" ");
    faults.replaceChildren(...problems.slice(0, SHOWN).map((problem) => h("li", {}, String(problem))));
    faults.hidden = !problems.length;
    views.replaceChildren(...shown.map((view) => draw(view, tokenizer)));
  }

  function choose() {
    const chosen = samples[Number(sample.value)];
    field.value = chosen.record;
    check.value = chosen.check;
    show();
  }

  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, REST);
  });
  check.addEventListener("change", show);
  sample.addEventListener("change", choose);
  part("ids").querySelector("input").addEventListener("change", (event) => {
    el.classList.toggle("fm-with-ids", event.target.checked);
  });
  // A reader may have chosen before this script was there, and a browser may remember what was typed.
  if (sample.value !== "0" && field.value === field.defaultValue) choose();
  else show();
}

/** What the text holds, if it can be laid out, and the problems of the chosen check. */
function inspect(text, format, tokenizer) {
  try {
    if (text.length > LONGEST) {
      const what = `${number(text.length)} characters, more than this page reads`;
      throw new Problem("", what, "take one record, or use fmkit check");
    }
    if (!text.trim()) return { example: null, problems: [] };
    const record = parseJson(text.replace(/^\ufeff/, ""));
    const read = attempt(() => readExample(record));
    const problems = format ? checkRecord(record, format) : read.problems;
    const example = read.value && attempt(() => viewsOf(read.value, tokenizer)).value ? read.value : null;
    return { example, problems };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { example: null, problems: [problem] };
  }
}

const number = (value) => value.toLocaleString("en-US");

function attempt(make) {
  try {
    return { value: make(), problems: [] };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { value: null, problems: [problem] };
  }
}

/** An example in segments; a pair has two views. */
function viewsOf(example, tokenizer) {
  const { messages, prompt, completion, chosen, rejected, text, label } = example;
  if (messages) return [{ title: "", segments: segmentsOfChat(messages, tokenizer) }];
  if (text !== undefined) return [{ title: "", label, segments: segmentsOfText(text, tokenizer, label === undefined) }];
  if (completion !== undefined) return [{ title: "", segments: segmentsOfCompletion(prompt, completion, tokenizer) }];
  return [["Chosen", chosen], ["Rejected", rejected]].map(([title, answer]) => ({
    title,
    segments: typeof answer === "string"
      ? segmentsOfCompletion(prompt, answer, tokenizer)
      : lastAnswer(segmentsOfChat([...prompt, ...answer], tokenizer)),
  }));
}

/** A view with the number of its tokens, of those that do not fit, and of those that are learned. */
function count(view, context) {
  const tokens = flatten(view.segments).ids.length;
  const learned = flatten(view.segments, context).labels.filter((label) => label !== IGNORE).length;
  return { ...view, tokens, lost: Math.max(0, tokens - context), learned, context };
}

function say(text, problems) {
  if (problems.length > SHOWN) return `${SHOWN} faults or more:`;
  if (problems.length) return `${problems.length} fault${problems.length > 1 ? "s" : ""}:`;
  return text.trim() ? "No fault." : "No record: write one, or start from one of the list.";
}

function describe(example, shown, context) {
  if (!example) return "";
  const name = example.name[0].toUpperCase() + example.name.slice(1);
  if (shown.length > 1) {
    const each = shown.map((view) => `${view.title}: ${number(view.tokens)} tokens, ${view.learned} of them compared.`);
    return `${name}. ${each.join(" ")}${losses(shown, context)}`;
  }
  const [{ tokens, learned, label }] = shown;
  const what = label === undefined ? `${learned} of them learned` : `and only the label “${label}” is learned`;
  return `${name}: ${number(tokens)} tokens, ${what}.${losses(shown, context)}`;
}

function losses(shown, context) {
  if (!shown.some((view) => view.lost)) return "";
  const room = `The model’s context has room for ${context}`;
  return isDropped(shown) ? ` ${room}, and the answer does not fit: the record is dropped.` : ` ${room}: the end is cut off.`;
}

/** Whether an answer does not fit into the context, so that nothing of it would be learned. */
function isDropped(shown) {
  return shown.some((view) => view.lost && view.label === undefined && !view.learned);
}

/** A view as a table with a row for each turn. */
function draw({ title, label, segments, context }, tokenizer) {
  const turns = [];
  let at = 0;
  for (const { role, ids, learned, token } of segments) {
    const begins = token && token !== "<|eos|>";
    if (begins || turns.at(-1).role !== role) turns.push({ role, learned: false, tokens: [] });
    const turn = turns.at(-1);
    turn.learned ||= learned;
    for (const id of ids) turn.tokens.push({ id, special: token, learned, cut: at++ >= context });
  }
  let room = MOST;
  const used = title ? "compared" : "learned";
  const rows = turns.map((turn) => {
    const some = turn.tokens.slice(0, room);
    room -= some.length;
    const hidden = turn.tokens.length - some.length;
    return row(turn.role, turn.learned ? used : "read", [
      ...some.flatMap((token) => [chip(token, tokenizer), " "]),
      hidden ? h("span", { class: "fm-more" }, `… and ${number(hidden)} more`) : "",
    ]);
  });
  if (label !== undefined) rows.push(row("label", "learned", [h("span", { class: "fm-token fm-learned" }, label)]));
  return h("table", { class: "fm-inspector-view" }, title ? h("caption", {}, title) : null, h("tbody", {}, ...rows));
}

function row(role, use, content) {
  return h("tr", { class: `fm-turn fm-turn-${role}` },
    h("th", { scope: "row" }, `${role} `, h("small", {}, use)), h("td", {}, ...content));
}

function chip({ id, special, learned, cut }, tokenizer) {
  const kinds = { "fm-special": special, "fm-learned": learned, "fm-cut": cut };
  const names = ["fm-token", ...Object.keys(kinds).filter((name) => kinds[name])];
  return h("span", { class: names.join(" ") }, special ?? spell(tokenizer.bytes(id)), h("small", {}, String(id)));
}

/** The text of a token, its spaces and line ends as signs; bytes that are part of a character as numbers. */
function spell(bytes) {
  const text = new TextDecoder().decode(new Uint8Array(bytes));
  if (text.includes("\ufffd")) return bytes.map((byte) => `x${byte.toString(16).padStart(2, "0")}`).join(" ");
  return text.replaceAll(" ", "·").replaceAll("\n", "↵").replaceAll("\t", "⇥");
}

export default { render };
