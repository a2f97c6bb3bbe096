// JSON as fmkit reads it (data/files.py), with Python's words for what is wrong with it, and problems with their
// places. An object is a Map, so that no key means anything to JavaScript; a number is a `Numeral`, since 1 and 1.0
// are not the same label.

/** What is wrong with a record: the field, what, and what to do. */
export class Problem extends Error {
  constructor(field, what, remedy) {
    super(what);
    Object.assign(this, { field, what, remedy });
  }

  /** One line for a person, as `fmkit check` writes it behind the file's name and the line. */
  toString() {
    const text = this.field ? `${this.field}: ${this.what}; ${this.remedy}` : `${this.what}; ${this.remedy}`;
    return text.split(LINES).map(strip).filter(Boolean).join(" ");
  }
}

/** A number, as it is written. */
export class Numeral {
  constructor(text) {
    this.text = text;
    this.whole = !/[.eE]/.test(text);
  }
}

// Python's line ends and white space, which differ a little from JavaScript's.
const LINES = /[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/;
const START = /^[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const END = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/;
const DEEPEST = 900; // levels of nesting
const LONGEST = 4300; // digits of a whole number
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

export const stripStart = (text) => text.replace(START, "");
export const strip = (text) => stripStart(text).replace(END, "");

export function kindOf(value) {
  if (value === null) return "null";
  if (typeof value === "string") return "text";
  if (typeof value === "boolean") return "true or false";
  if (value instanceof Numeral) return "a number";
  return Array.isArray(value) ? "a list" : "an object";
}

/** A value in at most 60 characters, a text in Python's quotes. */
export function short(value) {
  const characters = [...(typeof value === "string" ? quoted(value) : kindOf(value))];
  return characters.length <= 60 ? characters.join("") : `${characters.slice(0, 57).join("")}…'`;
}

function quoted(text) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const simple = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", [quote]: `\\${quote}` };
  const written = [...text].map((letter) => {
    if (letter in simple) return simple[letter];
    if (letter === " " || !/[\p{C}\p{Z}]/u.test(letter)) return letter;
    const code = letter.codePointAt(0).toString(16);
    if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
    return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
  });
  return quote + written.join("") + quote;
}

/**
 * Parse a JSON value: texts, `Numeral`s, true, false, null, arrays and Maps.
 * @throws {Problem} for what is not JSON, a repeated key, and nesting deeper than `DEEPEST`
 */
export function parseJson(text) {
  const signs = Array.from(text); // Python counts characters, and so does the message
  let at = 0;

  function fail(message, place) {
    const before = signs.slice(0, place);
    const line = before.filter((sign) => sign === "\n").length + 1;
    const column = place - before.lastIndexOf("\n");
    const where = `${text.replace(/\n+$/, "").includes("\n") ? `line ${line}, ` : ""}column ${column}`;
    throw new Problem("", `not JSON (${where}: ${message})`, "fix it, or have a library write it");
  }

  function skip() {
    while (signs[at] === " " || signs[at] === "\t" || signs[at] === "\n" || signs[at] === "\r") at++;
  }

  function follows(word) {
    const found = signs.slice(at, at + word.length).join("") === word;
    if (found) at += word.length;
    return found;
  }

  function value(depth) {
    if (depth > DEEPEST) throw new Problem("", "nested too deeply to read", "remove the nesting");
    if (signs[at] === '"') return string();
    if (signs[at] === "{") return object(depth);
    if (signs[at] === "[") return array(depth);
    if (follows("null")) return null;
    if (follows("true")) return true;
    if (follows("false")) return false;
    for (const name of ["NaN", "Infinity", "-Infinity"])
      if (follows(name)) throw new Problem("", `${name} is not JSON`, "write a number, or null");
    return number();
  }

  function number() {
    const start = at;
    const digits = () => {
      const from = at;
      while (/^[0-9]$/.test(signs[at] ?? "")) at++;
      return at > from;
    };
    if (signs[at] === "-") at++;
    if (signs[at] === "0") at++;
    else if (!digits()) {
      at = start;
      fail("Expecting value", start);
    }
    const whole = at;
    if (signs[at] === ".") {
      at++;
      if (!digits()) at = whole;
    }
    const mantissa = at;
    if (signs[at] === "e" || signs[at] === "E") {
      at++;
      if (signs[at] === "+" || signs[at] === "-") at++;
      if (!digits()) at = mantissa;
    }
    const found = new Numeral(signs.slice(start, at).join(""));
    if (found.whole && found.text.replace("-", "").length > LONGEST)
      throw new Problem("", "a number too long to be read", "shorten it, or write it as text");
    return found;
  }

  function string() {
    const begin = at++;
    const parts = [];
    for (;;) {
      const sign = signs[at];
      if (sign === undefined) fail("Unterminated string starting at", begin);
      if (sign === '"') break;
      if (sign <= "\x1f") fail("Invalid control character at", at);
      if (sign === "\\") parts.push(escape(begin));
      else parts.push(signs[at++]);
    }
    at++;
    return parts.join("");
  }

  function escape(begin) {
    const sign = signs[++at];
    if (sign === undefined) fail("Unterminated string starting at", begin);
    if (sign !== "u") {
      if (!Object.hasOwn(ESCAPES, sign)) fail("Invalid \\escape", at - 1);
      at++;
      return ESCAPES[sign];
    }
    if (at + 5 >= signs.length) fail("Invalid \\uXXXX escape", at);
    const code = signs.slice(at + 1, at + 5).join("");
    if (!/^[0-9a-fA-F]{4}$/.test(code)) fail("Invalid \\uXXXX escape", at);
    at += 5;
    return String.fromCharCode(Number.parseInt(code, 16)); // halves of a pair join by themselves
  }

  function object(depth) {
    const pairs = [];
    at++;
    skip();
    while (signs[at] !== "}" || pairs.length) {
      if (signs[at] !== '"') fail("Expecting property name enclosed in double quotes", at);
      const key = string();
      skip();
      if (signs[at] !== ":") fail("Expecting ':' delimiter", at);
      at++;
      skip();
      pairs.push([key, value(depth + 1)]);
      skip();
      if (signs[at] === "}") break;
      if (signs[at] !== ",") fail("Expecting ',' delimiter", at);
      at++;
      skip();
    }
    at++;
    const found = new Map(pairs);
    if (found.size < pairs.length) {
      const names = pairs.map(([name]) => name);
      const twice = names.find((name, place) => names.indexOf(name, place + 1) >= 0);
      throw new Problem("", `the key ${short(twice)} is repeated`, "keep one of them");
    }
    return found;
  }

  function array(depth) {
    const items = [];
    at++;
    skip();
    while (signs[at] !== "]" || items.length) {
      items.push(value(depth + 1));
      skip();
      if (signs[at] === "]") break;
      if (signs[at] !== ",") fail("Expecting ',' delimiter", at);
      at++;
      skip();
    }
    at++;
    return items;
  }

  skip();
  const whole = value(1);
  skip();
  if (at < signs.length) fail("Extra data", at);
  return whole;
}

/** The value, which must be a text with whole characters. @throws {Problem} */
export function textOf(value, field) {
  if (value === null || value === undefined) throw new Problem(field, "missing or null", "write a text");
  if (typeof value !== "string")
    throw new Problem(field, `${kindOf(value)}, not text`, "write a text in double quotes");
  const half = value.match(/\p{Surrogate}/u);
  if (half) {
    const code = half[0].charCodeAt(0).toString(16).padStart(4, "0");
    throw new Problem(field, `\\u${code} is half a character`, "remove it, or write both halves");
  }
  return value;
}

/** The value, which must be a text that is not blank. @throws {Problem} */
export function filled(value, field) {
  const text = textOf(value, field);
  if (!strip(text)) throw new Problem(field, "empty", "write a text, or remove the record");
  return text;
}
