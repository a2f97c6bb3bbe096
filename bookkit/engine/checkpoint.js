// A trained model from one file: safetensors (huggingface.co/docs/safetensors) in float16, float32, or int8 with a scale
// for each row, with fmkit's config.json and the tokenizer in its metadata. bookkit/engine/packing.py writes it. A file
// may come from anywhere, so all that is used is checked first; an Error says what is wrong, for the reader.

import { Space, sizeOf } from "./kernels.js";
import { Transformer } from "./transformer.js";

const LARGEST = { vocab_size: 2 ** 17, hidden_size: 4096, num_hidden_layers: 64, intermediate_size: 2 ** 14, max_position_embeddings: 2 ** 13 };
const LONGEST = 2 ** 10; // bytes of a token
const MEMORY = 2 ** 28; // numbers in a page at most: 1 GiB

/**
 * @param {ArrayBuffer} file
 * @returns {{config: object, tokenizer: object, tensors: Map<string, {shape: number[], values: () => Float32Array}>}}
 */
export function readCheckpoint(file) {
  const length = file.byteLength > 8 ? Number(new DataView(file).getBigUint64(0, true)) : Infinity;
  if (length > file.byteLength - 8) throw new Error("This is not a safetensors file, or only a part of one.");
  const { __metadata__: metadata, ...entries } = parse(new TextDecoder().decode(new Uint8Array(file, 8, length)), "header");
  if (!metadata?.config || !metadata.tokenizer) throw new Error("The file has weights, but no config and tokenizer: export it with python -m bookkit.engine.");
  const data = file.slice(8 + length);
  const tensors = new Map(Object.entries(entries).map(([name, entry]) => [name, tensor(name, entry, data)]));
  multiplyScales(tensors);
  const config = readConfig(parse(metadata.config, "config"));
  return { config, tokenizer: checkTokenizer(parse(metadata.tokenizer, "tokenizer"), config.vocab_size), tensors };
}

/** A tokenizer as tokenizer.js reads it, whose ids are a model's: its pieces exist before they are merged. */
function checkTokenizer(tokenizer, size) {
  const need = (fine, what) => {
    if (!fine) throw new Error(`The file is damaged: its tokenizer ${what}.`);
  };
  const { bytes, merges, special } = tokenizer, isId = (id) => Number.isInteger(id) && id >= 0 && id < size;
  need(Array.isArray(bytes) && bytes.length === 256 && bytes.every(isId), "does not know all bytes");
  need(["<|bos|>", "<|eos|>"].every((name) => isId(special?.[name])), "has no <|bos|> or <|eos|>");
  need(Object.values(special).every(isId), "has a special token that the model does not");
  const lengths = new Map(bytes.map((id) => [id, 1]));
  need(Array.isArray(merges), "has no merges");
  for (const merge of merges) {
    need(Array.isArray(merge) && merge.length === 3 && merge.every(isId), "has a merge that the model does not");
    const [left, right, id] = merge, length = lengths.get(left) + lengths.get(right);
    need(length <= LONGEST, "has a merge of unknown tokens, or a token that is too long");
    lengths.set(id, length);
  }
  return tokenizer;
}

function parse(text, what) {
  try {
    const value = JSON.parse(text);
    if (value && typeof value === "object") return value;
  } catch { /* the message below says it */ }
  throw new Error(`The file is damaged: its ${what} cannot be read.`);
}

function tensor(name, { dtype, shape, data_offsets: offsets }, data) {
  const bytes = { I8: 1, F16: 2, F32: 4 }[dtype];
  if (!bytes) throw new Error(`${name} is in ${String(dtype)}: the page reads I8, F16 and F32.`);
  const whole = Array.isArray(shape) && shape.every((length) => Number.isSafeInteger(length) && length >= 0);
  const size = whole ? shape.reduce((product, length) => product * length, 1) : NaN;
  const [start, end] = Array.isArray(offsets) ? offsets : [];
  if (!(start >= 0 && end - start === size * bytes && end <= data.byteLength)) throw new Error(`The file is damaged: ${name} is not whole.`);
  const read = { I8: (part) => Float32Array.from(new Int8Array(part)), F16: (part) => fromHalf(new Uint16Array(part)), F32: (part) => new Float32Array(part) };
  return { dtype, shape, values: () => read[dtype](data.slice(start, end)) };
}

/** Whole numbers become weights again: each row of NAME.weight times its number in NAME.scale (fmkit/quantization.py). */
function multiplyScales(tensors) {
  for (const [name, { dtype, shape, values }] of [...tensors]) {
    if (dtype !== "I8") continue;
    const scaleName = name.replace(/weight$/, "scale"), scale = tensors.get(scaleName), [rows, columns] = shape;
    if (shape.length !== 2 || String(scale?.shape) !== String(rows) || scale.dtype !== "F32") throw new Error(`The file lacks the scales of ${name}.`);
    tensors.delete(scaleName);
    tensors.set(name, { shape, values: () => {
      const scales = scale.values();
      return values().map((whole, i) => whole * scales[Math.floor(i / columns)]);
    } });
  }
}

/** Numbers from their IEEE 754 halves: sign, five bits of exponent, ten of fraction. */
function fromHalf(halves) {
  return Float32Array.from(halves, (half) => {
    const sign = half & 0x8000 ? -1 : 1, exponent = (half >> 10) & 31, fraction = half & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : (2 ** -14 * fraction) / 1024);
  });
}

/** A Llama's config.json that this transformer computes, with what follows from it. */
export function readConfig(config) {
  const need = (fine, message) => {
    if (!fine) throw new Error(`The model cannot run here: ${message}.`);
  };
  need(config.model_type === "llama", `its model_type is ${String(config.model_type)}, not llama`);
  for (const [name, most] of Object.entries(LARGEST)) {
    need(Number.isInteger(config[name]) && config[name] > 0 && config[name] <= most, `${name} is ${String(config[name])}`);
  }
  const { hidden_size: d, num_attention_heads: heads, num_key_value_heads: shared } = config;
  need(Number.isInteger(heads) && heads > 0 && d % (2 * heads) === 0, "hidden_size does not fit num_attention_heads");
  need(Number.isInteger(shared) && shared > 0 && heads % shared === 0, "num_attention_heads does not fit num_key_value_heads");
  for (const name of ["rope_theta", "rms_norm_eps"]) need(config[name] > 0 && config[name] < 1e38, `${name} is ${String(config[name])}`);
  need((config.head_dim ?? d / heads) === d / heads, `head_dim is ${String(config.head_dim)}, not hidden_size / num_attention_heads`);
  need(!config.attention_bias, "it has attention_bias");
  const rope = config.rope_parameters?.rope_type ?? "default";
  need(rope === "default", `its rope_type is ${String(rope)}`);
  for (const name of ["tie_word_embeddings", "is_causal"]) need(typeof config[name] === "boolean", `${name} is not true or false`);
  return { ...config, head_dim: d / heads };
}

/**
 * Make a model with room for `rows` tokens in a pass.
 * @param {BufferSource | null} wasm the kernels; null for plain JavaScript
 */
export function makeModel(config, wasm, { rows = config.max_position_embeddings, trained = false } = {}) {
  const build = (space) => new Transformer(config, space, { rows, trained });
  const size = sizeOf(build);
  if (size > MEMORY) throw new Error(`The model needs ${Math.round(size / 2 ** 18)} MB of memory, too much for a page.`);
  return build(new Space(size, wasm));
}

/** Fill a model with the tensors of a checkpoint, which must be exactly its own. */
export function assignWeights(model, tensors) {
  const parameters = model.namedParameters();
  for (const name of tensors.keys()) if (!parameters.has(name)) throw new Error(`The file has a tensor that the model does not: ${name}.`);
  for (const [name, { shape, value }] of parameters) {
    const found = tensors.get(name);
    if (String(found?.shape) !== String(shape)) throw new Error(`The file lacks ${name} of shape ${shape.join(" × ")}.`);
    value.set(found.values());
  }
}
