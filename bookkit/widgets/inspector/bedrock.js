// One record as Amazon Bedrock's guides want it: fmkit's data/bedrock.py in the page. What a service allows comes from
// there when the site is built, as `format`, with the names that it has there.
import { filled, kindOf, Problem, short, stripStart } from "./problems.js";

const SCHEMA_VERSION = "bedrock-conversation-2024";
const LABELS = ["preferred", "non-preferred"];
const ROLES = ["user", "assistant"];
const TEXT_KEYS = ["prompt", "completion", "system", "messages", "content"];
const CHARACTERS_PER_TOKEN = 6;

const CHECKS = { // of each shape of a record
  completion: (record) => checkTexts(record, ["prompt", "completion"]),
  input: (record) => checkTexts(record, ["input"]),
  text: (record) => [...checkKeys(record, "", ["text"]), ...checkTexts(record, ["text"])],
  evaluation: (record) => checkTexts(record, ["prompt"], ["referenceResponse", "category"]),
  conversation: checkConversation,
  claude: checkClaude,
  preference: checkPreference,
};

/** All problems of a record, in order. @returns {Problem[]} */
export function checkRecord(record, format) {
  if (!(record instanceof Map)) return [new Problem("", `${kindOf(record)}, not an object`, "write one object a line")];
  const problems = [...CHECKS[format.shape](record, format)];
  return problems.length ? problems : [...checkLength(record, format)];
}

function* checkLength(record, { max_tokens: most }) {
  const characters = most === null ? 0 : countCharacters(record);
  if (most === null || characters <= most * CHARACTERS_PER_TOKEN) return;
  const say = (number) => number.toLocaleString("en-US");
  const tokens = `about ${say(Math.ceil(characters / CHARACTERS_PER_TOKEN))} tokens (${say(characters)} characters)`;
  yield new Problem("", tokens, `a record takes ${say(most)} at most: shorten or split it`);
}

function countCharacters(value) {
  if (typeof value === "string") return [...value].length;
  const names = value instanceof Map ? TEXT_KEYS.filter((name) => value.has(name)) : [];
  const parts = Array.isArray(value) ? value : names.map((name) => value.get(name));
  return parts.reduce((sum, part) => sum + countCharacters(part), 0);
}

function* checkTexts(record, names, optional = []) {
  for (const name of [...names, ...optional.filter((one) => record.has(one))]) yield* checkText(record.get(name), name);
}

function* checkText(value, field) {
  try {
    filled(value, field);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    yield problem;
  }
}

function* checkConversation(record, format) {
  const version = record.get("schemaVersion") ?? null;
  const { schema_versions: versions } = format;
  if (typeof version !== "string" || (versions.length && !versions.includes(version)))
    yield new Problem("schemaVersion", version === null ? "missing or null" : short(version), `write "${SCHEMA_VERSION}"`);
  yield* checkSystem(record, format);
  const turns = record.get("messages");
  yield* checkTurns(turns, format.reserved, checkBlocks);
  if (format.needs_answer) yield* checkLast(turns);
  if (format.alternates) yield* checkAlternation(turns);
}

function* checkClaude(record) {
  yield* checkKeys(record, "", ["system", "messages"]);
  if (record.has("system")) yield* checkText(record.get("system"), "system");
  const turns = record.get("messages");
  yield* checkTurns(turns, [], checkText);
  yield* checkLast(turns);
  yield* checkAlternation(turns);
  for (const [at, turn] of listOf(turns).entries())
    if (turn instanceof Map) yield* checkKeys(turn, `messages[${at}].`, ["role", "content"]);
}

function* checkPreference(record, format) {
  yield* checkSystem(record, format);
  const turns = record.get("messages");
  if (!Array.isArray(turns) || turns.length < 2) {
    yield new Problem("messages", "no prompt with two answers", "write the turns, and last the candidates");
    return;
  }
  yield* checkTurns(turns.slice(0, -1), format.reserved, checkBlocks);
  yield* checkAlternation(turns);
  const place = `messages[${turns.length - 1}]`;
  const last = turns.at(-1);
  const candidates = last instanceof Map ? last.get("candidates") : null;
  if (!Array.isArray(candidates)) {
    yield new Problem(`${place}.candidates`, "missing, or not a list", "write two answers, each with preferenceLabel");
    return;
  }
  yield* checkLast(turns);
  for (const [at, candidate] of candidates.entries()) {
    const field = `${place}.candidates[${at}]`;
    if (!(candidate instanceof Map)) {
      yield new Problem(field, `${kindOf(candidate)}, not an object`, "write content and preferenceLabel");
      continue;
    }
    yield* checkBlocks(candidate.get("content"), `${field}.content`, []);
    const label = candidate.get("preferenceLabel") ?? null;
    if (!LABELS.includes(label))
      yield new Problem(`${field}.preferenceLabel`, label === null ? "missing or null" : short(label), `write ${LABELS.join(" or ")}`);
  }
  const labels = candidates.filter((one) => one instanceof Map).map((one) => one.get("preferenceLabel"));
  const [liked, disliked] = LABELS.map((label) => labels.filter((one) => one === label).length);
  if (liked !== 1 || disliked !== 1 || labels.length !== 2) {
    const what = `${liked} preferred and ${disliked} non-preferred answers`;
    yield new Problem(`${place}.candidates`, what, "give one of each");
  }
}

function* checkSystem(record, format) {
  if (record.has("system")) yield* checkBlocks(record.get("system"), "system", format.reserved);
}

function* checkKeys(record, place, allowed) {
  for (const name of record.keys())
    if (!allowed.includes(name))
      yield new Problem(place + fieldName(name), "a key that is not allowed", `keep ${allowed.join(" and ")} only`);
}

function* checkTurns(turns, reserved, checkContent) {
  if (!Array.isArray(turns) || !turns.length) {
    const what = Array.isArray(turns) ? "no turn" : (turns ?? null) === null ? "missing or null" : kindOf(turns);
    yield new Problem("messages", what, "write a list of turns, each with role and content");
    return;
  }
  for (const [at, turn] of turns.entries()) {
    const field = `messages[${at}]`;
    if (!(turn instanceof Map)) {
      yield new Problem(field, `${kindOf(turn)}, not an object`, "write role and content");
      continue;
    }
    const role = turn.get("role") ?? null;
    if (!ROLES.includes(role)) {
      const remedy = role === "system" ? "put it in the system field" : "use user or assistant";
      yield new Problem(`${field}.role`, `${short(role)} is not a role here`, remedy);
    } else if (at === 0 && role !== "user") {
      yield new Problem(`${field}.role`, "the first turn is not the user's", "begin with a user turn");
    }
    yield* checkContent(turn.get("content"), `${field}.content`, role === "user" ? reserved : []);
  }
}

function* checkLast(turns) {
  const last = listOf(turns).at(-1);
  if (!(last instanceof Map) || last.get("role") === "assistant") return;
  const field = `messages[${turns.length - 1}].role`;
  yield new Problem(field, "the last turn is not the assistant's", "end with the answer to be learned");
}

function* checkAlternation(turns) {
  const roles = listOf(turns).map((turn) => (turn instanceof Map ? turn.get("role") : null));
  const remedy = "alternate the two, or merge the turns";
  for (let at = 1; at < roles.length; at++)
    if (roles[at] === roles[at - 1] && ROLES.includes(roles[at]))
      yield new Problem(`messages[${at}].role`, "the same role twice in a row", remedy);
}

function* checkBlocks(value, field, reserved) {
  if (!Array.isArray(value) || !value.length) {
    const what = isEmpty(value) ? "missing, null or empty" : `${kindOf(value)}, not a list`;
    yield new Problem(field, what, 'write [{"text": "…"}]');
    return;
  }
  for (const [at, block] of value.entries()) {
    if (!(block instanceof Map) || !block.has("text")) {
      yield new Problem(`${field}[${at}]`, "no text (only text is checked here)", 'write {"text": "…"}');
      continue;
    }
    const others = [...block.keys()].filter((name) => name !== "text").map(fieldName);
    if (others.length) {
      const what = `${others.join(", ")} beside the text (only text is checked here)`;
      yield new Problem(`${field}[${at}]`, what, 'write {"text": "…"}');
    }
    const text = block.get("text");
    yield* checkText(text, `${field}[${at}].text`);
    const start = typeof text === "string" ? stripStart(text) : "";
    const word = reserved.find((one) => start.startsWith(one));
    if (word) yield new Problem(`${field}[${at}].text`, `begins with ${word}, a reserved word`, "begin in other words");
  }
}

/** Whether Python takes a JSON value for false. */
function isEmpty(value) {
  if (value instanceof Map) return value.size === 0;
  return Array.isArray(value) ? value.length === 0 : !value || Number(value.text) === 0;
}

const listOf = (value) => (Array.isArray(value) ? value : []);

/** A key as it is, if it can be a name, or else in quotes. */
function fieldName(name) {
  return /^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(name) && [...name].length < 40 ? name : short(name);
}
