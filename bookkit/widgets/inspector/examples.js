// One record as `fmkit finetune`, `reward` and `align` read it: fmkit's data/examples.py in the page.
import { filled, kindOf, Numeral, Problem, short, strip, textOf } from "./problems.js";

const ROLES = ["system", "user", "assistant"];
const SHAREGPT = new Map([
  ["system", "system"], ["human", "user"], ["user", "user"], ["gpt", "assistant"], ["assistant", "assistant"],
]);
const SIMPLE = '{"prompt": "…", "completion": "…"}';
const RAW = "a text without a label, to go on pre-training";

// By the columns that a record must have; of several that fit, the first is meant.
const SHAPES = [
  { columns: ["prompt", "chosen", "rejected"], name: "a preference pair", convert: toPreference },
  { columns: ["messages"], name: "a conversation", convert: toConversation },
  { columns: ["conversations"], name: "a conversation, in ShareGPT’s form", convert: fromShareGpt },
  { columns: ["chosen", "rejected"], name: "a preference pair", convert: toPreference },
  { columns: ["instruction", "output"], name: "a conversation, in Alpaca’s form", convert: toInstruction },
  { columns: ["prompt", "completion"], name: "a prompt with its completion", convert: toCompletion },
  { columns: ["prompt", "referenceResponse"], name: "a prompt with its reference answer", convert: toAnswer },
  { columns: ["text", "label"], name: "a labeled text", convert: toLabeled },
  { columns: ["text"], name: RAW, convert: (record) => toText(record, "text") },
  { columns: ["input"], name: RAW, convert: (record) => toText(record, "input") },
];

/**
 * Read a record: its kind in words, and what it holds, as one of
 * { messages }, { prompt, completion }, { text, label }, { text }, { prompt, chosen, rejected }.
 * @throws {Problem} for the first fault
 */
export function readExample(record) {
  if (!(record instanceof Map))
    throw new Problem("", `${kindOf(record)}, not an object`, `write one such as ${SIMPLE}`);
  const given = new Map([...record].filter(([, value]) => value !== null));
  const shape = findShape([...given.keys()]);
  if (shape.columns.length === 1 && shape.columns[0] === "text" && record.has("label"))
    throw new Problem("label", "null", "name a label, or leave the record out");
  const row = shape.convert(given);
  if (row.messages && row.messages.every((message) => message.role !== "assistant"))
    throw new Problem("messages", "the assistant says nothing to learn from", "add a turn of the assistant");
  return { name: row.chosen ? SHAPES[0].name : shape.name, ...row };
}

function findShape(names) {
  for (const shape of SHAPES)
    if (shape.columns.every((column) => names.includes(column)) && (shape.columns[0] !== "input" || names.length === 1))
      return shape;
  // Otherwise the most complete shape says what is missing.
  const share = (shape) => shape.columns.filter((column) => names.includes(column)).length / shape.columns.length;
  const begun = SHAPES.reduce((best, shape) => (share(shape) > share(best) ? shape : best));
  const missing = begun.columns.filter((column) => !names.includes(column));
  if (missing.length && missing.length < begun.columns.length)
    throw new Problem(missing[0], "missing or null", `a record needs ${begun.columns.join(", ")}`);
  const found = names.slice(0, 8).map(short).join(", ") + (names.length > 8 ? ", …" : "");
  throw new Problem(
    "", found ? `columns ${found}` : "no columns",
    "use prompt and completion, messages, text and label, or prompt, chosen and rejected",
  );
}

function toText(record, name) {
  return { text: filled(record.get(name), name) };
}

function toAnswer(record) {
  const prompt = filled(record.get("prompt"), "prompt");
  return { prompt, completion: filled(record.get("referenceResponse"), "referenceResponse") };
}

function toCompletion(record) {
  if (typeof record.get("label") === "boolean")
    throw new Problem(
      "label", "good and bad answers, of which all would be learned",
      "leave out the bad answers and this column, or write prompt, chosen and rejected",
    );
  const row = textsOrMessages(record, "prompt", "completion");
  if (typeof row.prompt === "string") return row;
  if (row.completion[0].role === "system")
    throw new Problem("completion[0].role", "a system message inside the conversation", "put it first");
  return { messages: [...row.prompt, ...row.completion] };
}

function toLabeled(record) {
  let label = record.get("label");
  if (typeof label === "boolean") label = String(label);
  else if (label instanceof Numeral && label.whole) label = String(BigInt(label.text));
  else if (typeof label !== "string") throw new Problem("label", kindOf(label), "use a name or a whole number");
  return { text: filled(record.get("text"), "text"), label: strip(filled(label, "label")) };
}

/** Answers to a prompt, or two conversations or texts with the same beginning. */
function toPreference(record) {
  let found = record.has("prompt") ? new Map(record) : splitOffPrompt(record.get("chosen"), record.get("rejected"));
  const [prompt, chosen, rejected] = ["prompt", "chosen", "rejected"].map((name) => found.get(name));
  if (typeof prompt === "string" && Array.isArray(chosen) && Array.isArray(rejected))
    found = found.set("prompt", [new Map([["role", "user"], ["content", prompt]])]);
  const row = textsOrMessages(found, "prompt", "chosen", "rejected");
  for (const name of ["chosen", "rejected"]) {
    if (!Array.isArray(row[name])) continue;
    const asked = row.prompt.length;
    if (sameMessages(row[name].slice(0, asked), row.prompt)) row[name] = row[name].slice(asked);
    if (row[name][0]?.role !== "assistant")
      throw new Problem(`${name}[0].role`, "not the assistant", "give the answer alone");
  }
  return row;
}

function sameMessages(some, others) {
  return some.length === others.length
    && some.every(({ role, content }, at) => role === others[at].role && content === others[at].content);
}

function splitOffPrompt(chosen, rejected) {
  const texts = typeof chosen === "string" && typeof rejected === "string";
  if (!texts && !(Array.isArray(chosen) && Array.isArray(rejected)))
    throw new Problem("chosen", `${kindOf(chosen)} beside ${kindOf(rejected)}`, "write both the same way");
  const [some, others] = [[...chosen], [...rejected]];
  let same = 0;
  while (same < Math.min(some.length, others.length) && equal(some[same], others[same])) same++;
  if (texts) // words stay whole, and answers begin with their space
    same = Math.max(...[" ", "\n"].map((space) => some.slice(0, same).lastIndexOf(space)));
  if (same < 1) throw new Problem("prompt", "missing, and the answers do not begin alike", "write the prompt apart");
  const part = (value, from, to) => (texts ? value.slice(from, to).join("") : value.slice(from, to));
  return new Map([
    ["prompt", part(some, 0, same)], ["chosen", part(some, same)], ["rejected", part(others, same)],
  ]);
}

/** Whether two JSON values are the same, as Python compares them: true is 1, and 1 is 1.0. */
function equal(one, other) {
  const number = (value) => {
    if (value instanceof Numeral) return Number(value.text);
    return typeof value === "boolean" ? Number(value) : null;
  };
  if (number(one) !== null || number(other) !== null) return number(one) === number(other);
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((value, at) => equal(value, other[at]));
  if (one instanceof Map && other instanceof Map)
    return one.size === other.size && [...one].every(([key, value]) => other.has(key) && equal(value, other.get(key)));
  return one === other;
}

function toInstruction(record) {
  let asked = filled(record.get("instruction"), "instruction");
  const input = record.get("input");
  if (isTrue(input)) asked += `\n\n${textOf(input, "input")}`;
  const answer = filled(record.get("output"), "output");
  return { messages: [{ role: "user", content: asked }, { role: "assistant", content: answer }] };
}

/** Whether Python takes a JSON value for true: not the empty ones, nor zero. */
function isTrue(value) {
  if (value instanceof Numeral) return Number(value.text) !== 0;
  if (value instanceof Map) return value.size > 0;
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function textsOrMessages(record, prompt, ...answers) {
  const names = [prompt, ...answers];
  if (!names.some((name) => Array.isArray(record.get(name))))
    return Object.fromEntries(names.map((name) => [name, filled(record.get(name), name)]));
  for (const name of names)
    if (!Array.isArray(record.get(name)))
      throw new Problem(name, `${kindOf(record.get(name))} beside lists`, "write all as text, or all as messages");
  const row = Object.fromEntries(names.map((name) => [name, messagesOf(record.get(name), name)]));
  for (const name of answers)
    if (row[name].at(-1).role !== "assistant")
      throw new Problem(name, "does not end with the assistant", "end with the assistant's answer");
  return row;
}

function toConversation(record) {
  const turns = record.get("messages");
  const said = record.has("system") ? record.get("system") : "";
  const system = said === "" ? "" : contentOf(said, "system");
  const head = system ? [{ role: "system", content: system }] : [];
  const last = Array.isArray(turns) ? turns.at(-1) : null;
  if (last instanceof Map && last.has("candidates")) return toJudged(head, turns);
  const messages = messagesOf(turns, "messages");
  if (head.length && messages[0].role === "system")
    throw new Problem("messages[0].role", "a second system text", "keep one: the field system, or the message");
  return { messages: [...head, ...messages] };
}

/** Amazon Nova's pairs: the last turn has two candidates, each with a label. */
function toJudged(head, turns) {
  const place = `messages[${turns.length - 1}].candidates`;
  const candidates = turns.at(-1).get("candidates");
  const answers = new Map();
  for (const [at, candidate] of (Array.isArray(candidates) ? candidates : []).entries()) {
    const label = candidate instanceof Map ? candidate.get("preferenceLabel") : null;
    if (label !== "preferred" && label !== "non-preferred") continue;
    const content = contentOf(candidate.get("content"), `${place}[${at}].content`);
    answers.set(label, [{ role: "assistant", content }]);
  }
  if (answers.size !== 2 || candidates.length !== 2)
    throw new Problem(place, "not one preferred and one non-preferred answer", "give two, each with preferenceLabel");
  const prompt = [...head, ...messagesOf(turns.slice(0, -1), "messages")];
  return { prompt, chosen: answers.get("preferred"), rejected: answers.get("non-preferred") };
}

function fromShareGpt(record) {
  const turns = record.get("conversations");
  const messages = (Array.isArray(turns) ? turns : []).map((turn, at) => {
    const role = turn instanceof Map ? turn.get("from") : null;
    if (!SHAREGPT.has(role))
      throw new Problem(`conversations[${at}].from`, "not a role that is known", "use system, human or gpt");
    return new Map([["role", SHAREGPT.get(role)], ["content", turn.get("value") ?? null]]);
  });
  return { messages: messagesOf(messages, "conversations", "value") };
}

function messagesOf(value, field, contentName = "content") {
  if (!Array.isArray(value) || !value.length) {
    const what = Array.isArray(value) ? "no message" : `${kindOf(value)}, not a list of messages`;
    throw new Problem(field, what, 'write [{"role": "user", "content": "…"}, …]');
  }
  const messages = [];
  for (const [at, message] of value.entries()) {
    const place = `${field}[${at}]`;
    if (!(message instanceof Map))
      throw new Problem(place, `${kindOf(message)}, not a message`, 'write {"role": "user", "content": "…"}');
    const role = message.get("role") ?? null;
    if (!ROLES.includes(role))
      throw new Problem(`${place}.role`, `${short(role)} is no role`, `use ${ROLES.join(", ")}`);
    if (role === "system" && at)
      throw new Problem(`${place}.role`, "a system message inside the conversation", "put it first");
    if (role === "system" && message.get("content") === "") continue; // the same as none
    messages.push({ role, content: contentOf(message.get("content"), `${place}.${contentName}`) });
  }
  if (!messages.length)
    throw new Problem(field, "a system message alone", "add what the user and the assistant say");
  return messages;
}

/** A text, or a list of blocks with text, joined by line breaks. */
function contentOf(value, field) {
  if (!Array.isArray(value) || !value.length) return filled(value, field);
  return value.map((block, at) => {
    if (!(block instanceof Map) || !block.has("text"))
      throw new Problem(`${field}[${at}]`, "no text (images and tools are not read)", 'write {"text": "…"}');
    return filled(block.get("text"), `${field}[${at}].text`);
  }).join("\n");
}
