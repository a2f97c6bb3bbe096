// One record as `fmkit finetune`, `reward` and `align` read it: fmkit's data/shapes.py in the page.
import { isBlank, isLearned, refuseContradiction, refuseJudged, refuseQuestion, refuseTurn } from "./fields.js";
import { filled, kindOf, Numeral, Problem, short, strip, textOf } from "./problems.js";

const ROLES = ["system", "user", "assistant"];
const SHAREGPT = new Map([
  ["system", "system"], ["human", "user"], ["user", "user"], ["gpt", "assistant"], ["assistant", "assistant"],
]);
const TEXT_TYPES = [null, "text", "input_text", "output_text"];
const SIMPLE = '{"prompt": "…", "completion": "…"}';
const RAW = "a text without a label, to go on pre-training";

// By the columns that a record must have; of several that fit, the first is meant.
const SHAPES = [
  { columns: ["prompt", "chosen", "rejected"], also: ["system"], name: "a preference pair", convert: toPreference },
  {
    columns: ["chosen", "rejected"],
    also: ["system", "instruction", "question", "input", "conversations", "messages"],
    name: "a preference pair",
    convert: toPreference,
  },
  { columns: ["messages"], also: ["system"], name: "a conversation", convert: toConversation },
  { columns: ["conversations"], also: ["system"], name: "a conversation, in ShareGPT’s form", convert: fromShareGpt },
  {
    columns: ["instruction", "output"],
    also: ["system", "history", "input"],
    name: "a conversation, in Alpaca’s form",
    convert: toInstruction,
  },
  { columns: ["prompt", "completion"], also: ["system"], name: "a prompt with its completion", convert: toCompletion },
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
  const read = [...shape.columns, ...(shape.also ?? [])];
  refuseQuestion(given, read, askedIn(row));
  refuseJudged(given, read);
  refuseContradiction(given);
  const answers = row.messages?.filter((message) => message.role === "assistant");
  if (answers?.length === 0)
    throw new Problem("messages", "the assistant says nothing to learn from", "add an assistant turn");
  if (answers?.every((answer) => answer.weight === 0))
    throw new Problem("messages", "no turn is learned: all have weight 0", "leave the record out");
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

/** What is said in a row before and between the answers. */
function askedIn(row) {
  const said = row.prompt ?? row.text ?? row.messages;
  const turns = typeof said === "string" ? [{ role: "user", content: said }] : said;
  return turns.filter((turn) => turn.role !== "assistant").map((turn) => turn.content).join("\n");
}

function toText(record, name) {
  return { text: filled(record.get(name), name) };
}

function toAnswer(record) {
  const prompt = filled(record.get("prompt"), "prompt");
  return { prompt, completion: filled(record.get("referenceResponse"), "referenceResponse") };
}

function toCompletion(record) {
  const row = textsOrMessages(record, "prompt", "completion");
  if (typeof row.prompt === "string") {
    refuseSystem(record);
    return row;
  }
  if (row.completion[0].role === "system")
    throw new Problem("completion[0].role", "a system message inside the conversation", "put it first");
  const asked = row.prompt.map((message) => (message.role === "assistant" ? { ...message, weight: 0 } : message));
  return { messages: [...withSystem(record, asked, "prompt"), ...row.completion] };
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
  const found = new Map(record);
  for (const name of ["chosen", "rejected"]) found.set(name, oneTurn(found.get(name), name));
  for (const [name, value] of findPrompt(found)) found.set(name, value);
  const [prompt, chosen, rejected] = ["prompt", "chosen", "rejected"].map((name) => found.get(name));
  if (typeof prompt === "string" && Array.isArray(chosen) && Array.isArray(rejected))
    found.set("prompt", [message("user", prompt)]);
  const row = textsOrMessages(found, "prompt", "chosen", "rejected");
  if (typeof row.prompt === "string") {
    refuseSystem(record);
    return row;
  }
  const [first] = row.chosen;
  if (first.role === "system" && row.prompt[0].role !== "system") row.prompt = [first, ...row.prompt];
  row.prompt = unweighted(withSystem(record, row.prompt, "prompt"));
  for (const name of ["chosen", "rejected"]) row[name] = answerTo(row.prompt, row[name], name);
  return row;
}

/** The prompt of two answers, where it is, and the three written in one way. */
function findPrompt(record) {
  const [chosen, rejected] = [record.get("chosen"), record.get("rejected")];
  if (record.has("prompt")) return new Map();
  if (record.has("conversations"))
    return new Map([["prompt", asking(fromShareGpt(record).messages, "conversations")]]);
  if (record.has("messages") && !equal(record.get("messages"), chosen)) // which some data sets repeat there
    return new Map([["prompt", asking(messagesOf(record.get("messages"), "messages"), "messages")]]);
  const asked = askedOf(record);
  if (asked && !(typeof chosen === "string" && typeof rejected === "string")) return new Map([["prompt", asked]]);
  if (asked && ![...chosen].slice(0, countAlike([...chosen], [...rejected])).join("").includes(asked))
    return new Map([
      ["prompt", asked], ["chosen", [message("assistant", chosen)]], ["rejected", [message("assistant", rejected)]],
    ]);
  return splitOffPrompt(chosen, rejected);
}

function asking(messages, name) {
  if (messages.at(-1).role !== "user")
    throw new Problem(name, "does not end with the user, beside chosen and rejected", "give the prompt alone");
  return messages.map(({ role, content }) => message(role, content));
}

/** An answer that is a message, not in a list (LLaMA-Factory). */
function oneTurn(answer, name) {
  if (!(answer instanceof Map)) return answer;
  return answer.has("from") ? shareGptTurns([answer], name) : [answer];
}

/** The turns after the prompt, of which the last is judged. */
function answerTo(prompt, turns, name) {
  if (turns.at(-1).weight === 0)
    throw new Problem(`${name}.weight`, "0, on the answer being judged", "remove it, or leave the record out");
  const plain = unweighted(turns);
  const said = sameMessages(plain.slice(0, prompt.length), prompt) ? plain.slice(prompt.length) : plain;
  if (said[0]?.role !== "assistant") throw new Problem(`${name}[0].role`, "not the assistant", "give the answer alone");
  return said;
}

const message = (role, content) => new Map([["role", role], ["content", content]]);
const unweighted = (messages) => messages.map(({ role, content }) => ({ role, content }));

function sameMessages(some, others) {
  return some.length === others.length
    && some.every(({ role, content }, at) => role === others[at].role && content === others[at].content);
}

function splitOffPrompt(chosen, rejected) {
  const texts = typeof chosen === "string" && typeof rejected === "string";
  if (!texts && !(Array.isArray(chosen) && Array.isArray(rejected)))
    throw new Problem("chosen", `${kindOf(chosen)} beside ${kindOf(rejected)}`, "write both the same way");
  const [some, others] = [[...chosen], [...rejected]];
  let same = countAlike(some, others);
  if (texts) // words stay whole, and answers begin with their space
    same = Math.max(...[" ", "\n"].map((space) => some.slice(0, same).lastIndexOf(space)));
  else if (same === some.length && same === others.length) same--; // one answer twice
  if (same < 1) throw new Problem("prompt", "missing, and the answers do not begin alike", "add a prompt");
  const part = (value, from, to) => (texts ? value.slice(from, to).join("") : value.slice(from, to));
  return new Map([
    ["prompt", part(some, 0, same)], ["chosen", part(some, same)], ["rejected", part(others, same)],
  ]);
}

function countAlike(some, others) {
  let same = 0;
  while (same < Math.min(some.length, others.length) && equal(some[same], others[same])) same++;
  return same;
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
  filled(record.get("instruction"), "instruction");
  const question = { role: "user", content: askedOf(record) };
  const answer = { role: "assistant", content: filled(record.get("output"), "output") };
  return { messages: withSystem(record, [...earlier(record.get("history")), question, answer], "history") };
}

/** The question in the fields that it may be in: an instruction, and after it what it is about. */
function askedOf(record) {
  const names = ["instruction", "question", "input"].filter((name) => isTrue(record.get(name)));
  return names.map((name) => textOf(record.get(name), name)).join("\n\n");
}

/** A list of questions with their answers, as turns. */
function earlier(history) {
  const pairs = Array.isArray(history) ? history : isBlank(history) ? [] : [history];
  return pairs.flatMap((pair, at) => {
    const place = `history[${at}]`;
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new Problem(place, "not a question and its answer", 'write [["question", "answer"], …]');
    return ["user", "assistant"].map((role, side) => ({ role, content: filled(pair[side], place) }));
  });
}

/** The messages with the field `system` first, unless it says what the first of them does. */
function withSystem(record, messages, name) {
  if (!isTrue(record.get("system"))) return messages;
  const first = { role: "system", content: contentOf(record.get("system"), "system") };
  if (messages[0].role !== "system") return [first, ...messages];
  if (messages[0].content === first.content) return messages;
  throw new Problem(`${name}[0].role`, "a second system text", "keep one: the field system, or the message");
}

function refuseSystem(record) {
  if (isTrue(record.get("system")))
    throw new Problem(
      "system", "beside a prompt that is text, which has no place for it", "write prompt and answers as messages",
    );
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
  const last = Array.isArray(turns) ? turns.at(-1) : null;
  if (last instanceof Map && last.has("candidates")) return toJudged(record, turns);
  return { messages: withSystem(record, messagesOf(turns, "messages"), "messages") };
}

/** Amazon Nova's pairs: the last turn has two candidates, each with a label. */
function toJudged(record, turns) {
  const place = `messages[${turns.length - 1}].candidates`;
  const candidates = turns.at(-1).get("candidates");
  const answers = new Map();
  for (const [at, candidate] of (Array.isArray(candidates) ? candidates : []).entries()) {
    const label = candidate instanceof Map ? candidate.get("preferenceLabel") : null;
    if (label !== "preferred" && label !== "non-preferred") continue;
    refuseTurn(candidate, `${place}[${at}]`);
    const content = contentOf(candidate.get("content"), `${place}[${at}].content`);
    answers.set(label, [{ role: "assistant", content }]);
  }
  if (answers.size !== 2 || candidates.length !== 2)
    throw new Problem(place, "not one preferred and one non-preferred answer", "give two, each with preferenceLabel");
  const prompt = unweighted(withSystem(record, messagesOf(turns.slice(0, -1), "messages"), "messages"));
  return { prompt, chosen: answers.get("preferred"), rejected: answers.get("non-preferred") };
}

function fromShareGpt(record) {
  const turns = shareGptTurns(record.get("conversations"), "conversations");
  return { messages: withSystem(record, messagesOf(turns, "conversations", "value"), "conversations") };
}

function shareGptTurns(turns, name) {
  return (Array.isArray(turns) ? turns : []).map((turn, at) => {
    const role = turn instanceof Map ? turn.get("from") : null;
    if (!SHAREGPT.has(role))
      throw new Problem(`${name}[${at}].from`, "not a role that is known", "use system, human or gpt");
    return new Map([...turn, ["role", SHAREGPT.get(role)], ["content", turn.get("value") ?? null]]);
  });
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
      throw new Problem(`${place}.role`, `${short(role)} is not a role`, `use ${ROLES.join(", ")}`);
    if (role === "system" && at)
      throw new Problem(`${place}.role`, "a system message inside the conversation", "put it first");
    if (role === "system" && message.get("content") === "") continue; // the same as none
    refuseTurn(message, place);
    const content = contentOf(message.get("content"), `${place}.${contentName}`);
    const isReadOnly = !isLearned(message, role, place) && role === "assistant";
    messages.push(isReadOnly ? { role, content, weight: 0 } : { role, content });
  }
  if (!messages.length)
    throw new Problem(field, "a system message alone", "add what the user and the assistant say");
  return messages;
}

/** A text, or a list of blocks with text, joined by line breaks. */
function contentOf(value, field) {
  if (!Array.isArray(value) || !value.length) return filled(value, field);
  return value.map((block, at) => {
    if (!(block instanceof Map) || !block.has("text") || !TEXT_TYPES.includes(block.get("type") ?? null))
      throw new Problem(`${field}[${at}]`, "no text (images and tools are not read)", 'write {"text": "…"}');
    refuseTurn(block, `${field}[${at}]`);
    return filled(block.get("text"), `${field}[${at}].text`);
  }).join("\n");
}
