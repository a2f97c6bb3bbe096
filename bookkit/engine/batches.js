// From texts to batches: tokens, pieces, packed rows. The twin of fmkit/data/batches.py.
//
// A *piece* is a document, or a part of one that is longer than the context. A *row* holds as many whole pieces as fit,
// chosen best-fit first from a pool (Ding et al. 2024, arXiv:2404.10830, section 2).

import { IGNORE } from "./chat.js";

const POOL_SIZE = 256; // pieces to choose from

/** The pieces of a text: <|bos|> text <|eos|>, cut at the context; they overlap by a token. */
export function pieces(text, tokenizer, context) {
  const ids = [tokenizer.id("<|bos|>"), ...tokenizer.encode(text), tokenizer.id("<|eos|>")], found = [];
  for (let i = 0; i < ids.length - 1; i += context) found.push(ids.slice(i, i + context + 1));
  return found;
}

/** Batches of packed rows, without an end. */
export class PackedLoader {
  /** @param {() => number[]} next a new piece at each call */
  constructor(next, { batchSize, context, padId, random }) {
    Object.assign(this, { next, batchSize, context, padId, random, pool: [] });
  }

  batch() {
    const rows = Array.from({ length: this.batchSize }, () => {
      while (this.pool.length < POOL_SIZE) this.pool.push(this.next());
      return fillRow(this.pool, Math.floor(this.random() * this.pool.length), this.context);
    });
    return collate(rows, this.context, this.padId);
  }
}

/** Rows of given pieces, packed in order: the same at every call. */
export function packed(all, { batchSize, context, padId }) {
  const left = [...all], rows = [], batches = [];
  while (left.length) rows.push(fillRow(left, 0, context));
  for (let i = 0; i < rows.length; i += batchSize) batches.push(collate(rows.slice(i, i + batchSize), context, padId));
  return batches;
}

/** Take piece `first` from the pool, then the largest that fits into what is left, until none does. */
function fillRow(pool, first, context) {
  const row = pool.splice(first, 1);
  let space = context - (row[0].length - 1);
  for (;;) {
    let best = -1;
    pool.forEach((piece, i) => {
      if (piece.length - 1 <= space && (best < 0 || piece.length > pool[best].length)) best = i;
    });
    if (best < 0) return row;
    space -= pool[best].length - 1;
    row.push(...pool.splice(best, 1));
  }
}

/** Rows of pieces as one batch: what a pass reads, what it should predict, and the spans of its documents. */
export function collate(rows, context, padId) {
  const inputIds = new Int32Array(rows.length * context).fill(padId);
  const labels = new Int32Array(rows.length * context).fill(IGNORE), spans = [];
  let numItems = 0;
  rows.forEach((row, r) => {
    let start = r * context;
    for (const piece of row) {
      const length = piece.length - 1;
      inputIds.set(piece.slice(0, -1), start);
      labels.set(piece.slice(1), start);
      spans.push(span(start, length));
      start += length;
      numItems += length;
    }
    if (start < (r + 1) * context) spans.push(span(start, (r + 1) * context - start)); // padding, a document of its own
  });
  return { inputIds, labels, T: context, spans, numItems };
}

/**
 * Examples as one batch: rows of their own, padded at the end. The twin of fmkit's `collate_completions`.
 * @param {{ids: number[], start: number}[]} examples ids, and where those begin that are learned
 */
export function collateExamples(examples, padId) {
  const T = Math.max(...examples.map(({ ids }) => ids.length - 1)), spans = [];
  const inputIds = new Int32Array(examples.length * T).fill(padId), labels = new Int32Array(examples.length * T).fill(IGNORE);
  let numItems = 0;
  examples.forEach(({ ids, start }, r) => {
    const first = r * T, length = ids.length - 1;
    inputIds.set(ids.slice(0, -1), first);
    labels.set(ids.slice(start), first + start - 1);
    spans.push(span(first, length));
    if (length < T) spans.push(span(first + length, T - length));
    numItems += ids.length - start;
  });
  return { inputIds, labels, T, spans, numItems };
}

function span(first, length) {
  return { query: first, queries: length, key: first, keys: length };
}
