// Byte-level byte-pair encoding (Sennrich et al. 2016; Radford et al. 2019) in the page: the same ids as the library
// `tokenizers` gives for a tokenizer.json of fmkit. bookkit/engine/__init__.py makes the small file that this reads:
//
//   { bytes: [256 ids], merges: [[left, right, id], …], special: { "<|bos|>": 0, … } }
//
// A text is cut into words, a word into its bytes in UTF-8, and neighbors are merged in the order that training found.
// As in fmkit, a special token's name inside a text is ordinary text, and nothing is put before a text.

// GPT-2's words. Spelled out, since \s and \S mean other characters in JavaScript than in `tokenizers`.
export const WORD = new RegExp([
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
    this.known = new Map(); // the ids of words
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
    const ids = [];
    for (const word of this.words(text)) for (const id of this.encodeWord(word)) ids.push(id);
    return ids;
  }

  /** The words of a text: no token reaches across two of them. Throws as `encode` does. */
  words(text) {
    if (/\p{Surrogate}/u.test(text)) throw new RangeError("half a character (a lone surrogate) in a text");
    return text.match(WORD) ?? [];
  }

  encodeWord(word) {
    const known = this.known.get(word);
    if (known) return known;
    const { ids } = this.join(new TextEncoder().encode(word));
    if (this.known.size >= REMEMBERED) this.known.clear();
    this.known.set(word, ids);
    return ids;
  }

  /**
   * Join the bytes of a word in the order of ranks. A merge makes a token that only later ranks use, so all places of
   * one rank are joined, from left to right, before those of the next.
   *
   * `seams` has the rank that closes the place after each byte but the last, and Infinity where a token ends. It says
   * how the word looked at any time: a tokenizer with the first n merges ends its tokens where the rank is n or more.
   * @param {Uint8Array} bytes
   * @returns {{ids: number[], seams: number[]}}
   */
  join(bytes) {
    const ids = Array.from(bytes, (byte) => this.ofByte[byte]); // a token is kept at the place of its first byte
    const before = ids.map((_, at) => at - 1), after = ids.map((_, at) => at + 1);
    const seams = ids.slice(1).fill(Infinity);
    const waiting = new Map(); // by rank: the places of tokens that it may join to those after them
    const mergeAt = (at) => this.ranks.get(this.pair(ids[at], ids[after[at]]));
    const wait = (at) => {
      const rank = mergeAt(at)?.rank;
      if (rank === undefined) return;
      if (!waiting.has(rank)) waiting.set(rank, []);
      waiting.get(rank).push(at);
    };
    ids.forEach((_, at) => wait(at));
    while (waiting.size) {
      const rank = Math.min(...waiting.keys());
      const places = waiting.get(rank).sort((one, other) => one - other);
      waiting.delete(rank);
      for (const at of places) {
        const found = mergeAt(at), other = after[at];
        if (found?.rank !== rank) continue; // one of the two has been joined to its other neighbor
        seams[other - 1] = rank;
        ids[at] = found.id;
        ids[other] = undefined;
        after[at] = after[other];
        before[after[at]] = at;
        wait(at);
        wait(before[at]);
      }
    }
    return { ids: ids.filter((id) => id !== undefined), seams };
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
