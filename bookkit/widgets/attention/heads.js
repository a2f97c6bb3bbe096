// What the heads of a model do in one text: their weights, some measures of them, and pictures.
import { h } from "./dom.js";

const SIDE = 160; // pixels of a picture, at least

/** Attention weights (layers, heads, T, T): row t says how token t spreads its attention over tokens 0 to t. */
export class Weights {
  constructor({ weights, shape: [layers, heads, length] }) {
    Object.assign(this, { weights, layers, heads, length });
  }

  /** The weights of one token, which add up to 1. */
  row([layer, head], token) {
    const start = ((layer * this.heads + head) * this.length + token) * this.length;
    return this.weights.subarray(start, start + token + 1);
  }

  /** The tokens that a token looks at most: [[token, weight], …]. */
  top(head, token, count) {
    const row = [...this.row(head, token)].map((weight, at) => [at, weight]);
    return row.sort((one, other) => other[1] - one[1]).slice(0, count);
  }

  /** Every head, as [layer, head]. */
  get all() {
    return Array.from({ length: this.layers * this.heads }, (_, at) => [Math.floor(at / this.heads), at % this.heads]);
  }
}

const PLACES = {
  "the token before": (ids, token) => [token - 1],
  "itself": (ids, token) => [token],
  "the start, <|bos|>": () => [0],
  "earlier copies of itself": (ids, token) => ids.flatMap((id, at) => (at < token && id === ids[token] ? [at] : [])),
};

/**
 * How much of its weight a head puts on some kinds of place, on average over the tokens that have one (the first
 * token has no choice and isn't counted); and how much it would be if it looked at all places alike.
 * @returns {{name: string, tokens: number, share: number, even: number}[]}
 */
function measure(weights, head, ids) {
  return Object.entries(PLACES).map(([name, placesOf]) => {
    let tokens = 0, share = 0, even = 0;
    for (let token = 1; token < ids.length; token++) {
      const places = placesOf(ids, token), row = weights.row(head, token);
      if (!places.length) continue;
      tokens++;
      share += places.reduce((sum, place) => sum + row[place], 0);
      even += places.length / row.length;
    }
    return { name, tokens, share: share / tokens, even: even / tokens };
  });
}

/** What a head does in this text, measured. */
export function drawMeasures(table, weights, head, ids) {
  const [layer, number] = head.map((one) => one + 1);
  const all = ids.length - 1;
  const counted = (tokens) => (tokens < all ? h("small", {}, ` (${tokens} of ${all} tokens)`) : null);
  const rows = measure(weights, head, ids).map(({ name, tokens, share, even }) => h("tr", {},
    h("th", { scope: "row" }, name, counted(tokens)),
    ...[share, even].map((one) => h("td", {}, tokens ? percent(one) : "–"))));
  const columns = ["its weight on", "this head", "even spread"].map((name) => h("th", { scope: "col" }, name));
  table.replaceChildren(
    h("caption", {}, `Layer ${layer}, head ${number}, on average over this text`),
    h("thead", {}, h("tr", {}, ...columns)),
    h("tbody", {}, ...rows));
}

/** A head as a triangle: a row for each token, a column for each that it may look at; more color is more weight. */
export function drawHead(canvas, weights, head, color) {
  const cell = Math.ceil(SIDE / weights.length);
  canvas.width = canvas.height = cell * weights.length;
  const context = canvas.getContext("2d");
  context.fillStyle = color;
  for (let token = 0; token < weights.length; token++) {
    weights.row(head, token).forEach((weight, at) => {
      context.globalAlpha = 0.06 + 0.94 * Math.sqrt(weight); // the root, so that small weights can be seen
      context.fillRect(at * cell, token * cell, cell, cell);
    });
  }
}

/** All heads of one token in numbers: a row for each token that it looks at, a column for each head. */
export function drawTable(weights, token, names) {
  const heads = weights.all, rows = heads.map((head) => weights.row(head, token));
  const columns = heads.map(([layer, head]) => h("th", { scope: "col" }, `${layer + 1}.${head + 1}`));
  const numbers = (at) => rows.map((row) => h("td", {}, (100 * row[at]).toFixed(1)));
  const seen = names.slice(0, token + 1);
  const body = seen.map((name, at) => h("tr", {}, h("th", { scope: "row" }, name), ...numbers(at)));
  return h("table", {},
    h("caption", {}, `Where “${names[token]}” (token ${token + 1}) looks, in percent, in each layer and head`),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "token"), ...columns)),
    h("tbody", {}, ...body));
}

/** 0.953 → "95%", or with digits "95.3%". */
export function percent(share, digits = 0) {
  return `${(100 * share).toFixed(digits)}%`;
}
