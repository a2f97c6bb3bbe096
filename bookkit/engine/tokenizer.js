// Byte-level byte-pair encoding (Sennrich et al. 2016; Radford et al. 2019) in the page: the same ids as the library
// `tokenizers` gives for a tokenizer.json of fmkit. bookkit/engine/__init__.py makes the small file that this reads:
//
//   { bytes: [256 ids], merges: [[left, right, id], …], special: { "<|bos|>": 0, … } }
//
// A text is cut into words, a word into its bytes in UTF-8, and neighbors are merged in the order that training found.
// As in fmkit, a special token's name inside a text is ordinary text, and nothing is put before a text.

// GPT-2's words. Spelled out, since \s and \S mean other characters in JavaScript than in `tokenizers`.
const WORD = new RegExp([
  /'(?:[sdmt]|ll|ve|re)/, / ?\p{L}+/, / ?\p{N}+/, / ?[^\p{White_Space}\p{L}\p{N}]+/,
  /\p{White_Space}+(?!\P{White_Space})/, /\p{White_Space}+/,
].map((one) => one.source).join("|"), "gu");
const REMEMBERED = 10_000; // words whose ids are kept

export class Tokenizer {
  /** @param {{bytes: number[], merges: [number, number, number][], special: Record<string, number>}} data */
  constructor({ bytes, merges, special }) {
    this.ofByte = bytes;
    this.special = new Map(Object.entries(special));
    this.ranks = new Map(); // by both ids: when they are merged, and into what
    this.contents = new Map(bytes.map((id, byte) => [id, [byte]]));
    merges.forEach(([left, right, id], rank) => {
      this.ranks.set(this.pair(left, right), { rank, id });
      this.contents.set(id, [...this.contents.get(left), ...this.contents.get(right)]);
    });
    this.words = new Map();
  }

  /** The number of ids: a model needs as many rows of embeddings. */
  get size() {
    return this.contents.size + this.special.size;
  }

  /** A name for two neighbors: one number, since a Map compares arrays by identity. */
  pair(left, right) {
    return left * 0x100000 + right;
  }

  /**
   * The ids of a text.
   * @param {string} text
   * @returns {number[]}
   * @throws {RangeError} for half a character (a lone surrogate), which UTF-8 cannot write
   */
  encode(text) {
    if (/\p{Surrogate}/u.test(text)) throw new RangeError("half a character (a lone surrogate) in a text");
    const ids = [];
    for (const [word] of text.matchAll(WORD)) for (const id of this.encodeWord(word)) ids.push(id);
    return ids;
  }

  encodeWord(word) {
    const known = this.words.get(word);
    if (known) return known;
    const ids = this.merge([...new TextEncoder().encode(word)].map((byte) => this.ofByte[byte]));
    if (this.words.size >= REMEMBERED) this.words.clear();
    this.words.set(word, ids);
    return ids;
  }

  /**
   * Merge until no neighbors have a rank. A merge makes a token that only later ranks use, so all pairs of one rank can
   * be merged in one pass: there are at most as many passes as merges, however long a word is.
   */
  merge(ids) {
    for (;;) {
      let first = null;
      for (let at = 1; at < ids.length; at++) {
        const found = this.ranks.get(this.pair(ids[at - 1], ids[at]));
        if (found && (!first || found.rank < first.rank)) first = found;
      }
      if (!first) return ids;
      const merged = [];
      for (let at = 0; at < ids.length; at++) {
        const both = at + 1 < ids.length && this.ranks.get(this.pair(ids[at], ids[at + 1])) === first;
        merged.push(both ? first.id : ids[at]);
        if (both) at++;
      }
      ids = merged;
    }
  }

  /**
   * The text of ids, without special tokens. Bytes that are no UTF-8 become U+FFFD, as in `tokenizers`.
   * @param {number[]} ids
   */
  decode(ids) {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(ids.flatMap((id) => this.bytes(id))));
  }

  /** The bytes of a token, none for a special one. */
  bytes(id) {
    return this.contents.get(id) ?? [];
  }

  /** The id of a special token, undefined for another name. */
  id(token) {
    return this.special.get(token);
  }
}
