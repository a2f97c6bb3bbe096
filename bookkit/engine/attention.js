// Attention: each token gathers information from the tokens that it may see. The twin of fmkit/attention.py.
//
// fmkit masks what a token may not see. Here the tokens of each document are taken by themselves, which is the same
// and less to compute: a *span* says which rows of queries look at which rows of keys.
//
//   { query: first row of its queries, queries: their number, key: first row of its keys, keys: their number }
//
// The queries are the last of the keys' positions; with a KV cache there are more keys than queries.

import { at } from "./kernels.js";

const BLOCK = 16; // queries at a time: a block computes no keys that come after its last query

/** softmax(q kᵀ / √D) v (Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1), head by head. */
export function attention(space, part, spans) {
  const { q, k, v, mixed, weights, H, K, D, S, causal } = part;
  for (const span of spans) {
    for (let head = 0; head < H; head++) {
      const own = head * D, shared = Math.floor((head * K) / H) * D; // H / K heads share their keys and values
      const keys = at(k) + span.key * K * D + shared, values = at(v) + span.key * K * D + shared;
      for (const { row, rows, seen } of blocks(span, causal)) {
        const scores = at(weights) + (head * part.rows + row) * S;
        space.dot(scores, S, at(q) + row * H * D + own, H * D, keys, K * D, rows, seen, D);
        softmax(weights, head * part.rows + row, rows, S, seen, span, row, D, causal);
        space.product(at(mixed) + row * H * D + own, H * D, scores, S, 1, values, K * D, rows, D, seen, false);
      }
    }
  }
}

/** Turn dMixed into dQ, dK and dV, with the weights that `attention` left; `scratch` holds one block's scores. */
export function attentionBackward(space, part, spans) {
  const { q, k, v, dMixed, dQ, dK, dV, weights, scratch, H, K, D, S, causal } = part;
  for (const span of spans) {
    for (let head = 0; head < H; head++) {
      const own = head * D, shared = Math.floor((head * K) / H) * D;
      const first = span.key * K * D + shared;
      for (const { row, rows, seen } of blocks(span, causal)) {
        const scores = at(weights) + (head * part.rows + row) * S, mine = row * H * D + own;
        space.product(at(dV) + first, K * D, scores, 1, S, at(dMixed) + mine, H * D, seen, D, rows, true);
        space.dot(at(scratch), S, at(dMixed) + mine, H * D, at(v) + first, K * D, rows, seen, D);
        softmaxBackward(scratch, weights, (head * part.rows + row) * S, rows, S, seen, D);
        space.product(at(dQ) + mine, H * D, at(scratch), S, 1, at(k) + first, K * D, rows, D, seen, false);
        space.product(at(dK) + first, K * D, at(scratch), 1, S, at(q) + mine, H * D, seen, D, rows, true);
      }
    }
  }
}

/** The queries of a span, some at a time: their first row, their number, and how many keys the last of them sees. */
function* blocks({ query, queries, keys }, causal) {
  for (let done = 0; done < queries; done += BLOCK) {
    const rows = Math.min(BLOCK, queries - done);
    yield { row: query + done, rows, seen: causal ? keys - queries + done + rows : keys };
  }
}

/** Turn scores into weights that sum to 1; what a query may not see has the weight 0. */
function softmax(x, first, rows, S, seen, span, row, D, causal) {
  const scale = 1 / Math.sqrt(D);
  for (let i = 0; i < rows; i++) {
    const start = (first + i) * S, own = causal ? span.keys - span.queries + (row - span.query) + i + 1 : seen;
    let most = -Infinity, total = 0;
    for (let j = start; j < start + own; j++) if (x[j] > most) most = x[j];
    for (let j = start; j < start + own; j++) total += x[j] = Math.exp((x[j] - most) * scale);
    for (let j = start; j < start + own; j++) x[j] /= total;
    x.fill(0, start + own, start + seen);
  }
}

/** Turn the gradients of weights into those of scores, in place: w (dw − Σ w dw) / √D. */
function softmaxBackward(dw, w, first, rows, S, seen, D) {
  const scale = 1 / Math.sqrt(D);
  for (let i = 0; i < rows; i++) {
    const p = first + i * S, g = i * S;
    let mean = 0;
    for (let j = 0; j < seen; j++) mean += w[p + j] * dw[g + j];
    for (let j = 0; j < seen; j++) dw[g + j] = w[p + j] * (dw[g + j] - mean) * scale;
  }
}
