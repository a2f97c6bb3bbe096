// The transformer: a Llama-style decoder, the twin of fmkit/model.py, with the same names in the same order. PyTorch
// finds gradients by itself; here each part also has a `backward`, which turns the gradient of what it wrote into the
// gradient of what it read, and adds to the gradients of its weights.
//
// Shapes: n rows (tokens, sequence after sequence), H heads of D numbers, hidden size d, vocabulary V. Every part has
// room for `rows` rows in one memory (see kernels.js).

import { attention, attentionBackward } from "./attention.js";
import { at } from "./kernels.js";

/** A matrix: y = x Wᵀ. */
class Linear {
  constructor(space, inFeatures, outFeatures, trained) {
    Object.assign(this, { space, inFeatures, outFeatures });
    this.weight = new Parameter(space, [outFeatures, inFeatures], trained);
  }

  forward(x, y, n) {
    const { space, inFeatures: d, outFeatures: D } = this;
    space.dot(at(y), D, at(x), d, at(this.weight.value), d, n, D, d);
  }

  /** dW += dyᵀ x, and dx = dy W, or dx += dy W where x had more than one reader. */
  backward(x, dy, dx, n, add = false) {
    const { space, inFeatures: d, outFeatures: D } = this;
    space.product(at(this.weight.gradient), d, at(dy), 1, D, at(x), d, D, d, n, true);
    space.product(at(dx), d, at(dy), D, 1, at(this.weight.value), d, n, d, D, add);
  }
}

/** x / rms(x) * weight (Zhang and Sennrich 2019, arXiv:1910.07467). */
class RMSNorm {
  constructor(space, size, eps, rows, trained) {
    Object.assign(this, { size, eps });
    this.weight = new Parameter(space, [size], trained);
    this.scale = space.take(rows); // 1 / rms(x) of each row
  }

  forward(x, y, n) {
    const { size, scale } = this, weight = this.weight.value;
    for (let row = 0, i = 0; row < n; row++, i += size) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += x[i + j] * x[i + j];
      scale[row] = 1 / Math.sqrt(sum / size + this.eps);
      for (let j = 0; j < size; j++) y[i + j] = x[i + j] * scale[row] * weight[j];
    }
  }

  /** Adds to dx, since x also went on past the norm, in the residual stream. */
  backward(x, dy, dx, n) {
    const { size } = this, { value: weight, gradient } = this.weight;
    for (let row = 0, i = 0; row < n; row++, i += size) {
      const scale = this.scale[row];
      let mean = 0;
      for (let j = 0; j < size; j++) {
        mean += dy[i + j] * weight[j] * x[i + j];
        gradient[j] += dy[i + j] * x[i + j] * scale;
      }
      mean *= (scale * scale) / size;
      for (let j = 0; j < size; j++) dx[i + j] += scale * (dy[i + j] * weight[j] - x[i + j] * mean);
    }
  }
}

/** cos and sin (max_position_embeddings, D/2) of rotary encoding (Su et al. 2021, arXiv:2104.09864). */
function rotaryTable({ head_dim: D, max_position_embeddings: positions, rope_theta: theta }) {
  const angle = (i) => Math.fround(Math.floor(i / (D / 2)) * Math.fround(theta ** -((2 * (i % (D / 2))) / D)));
  const angles = Float32Array.from({ length: positions * (D / 2) }, (_, i) => angle(i));
  return { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
}

/** Turn the pairs (i, i + D/2) of each head of x (n, heads * D) by their position's angles; `sign` −1 turns back. */
function rotate(x, heads, D, n, view, sign = 1) {
  const half = D / 2;
  for (let row = 0; row < n; row++) {
    const angle = view.position(row) * half;
    for (let head = 0, i = row * heads * D; head < heads; head++, i += D) {
      for (let j = 0; j < half; j++) {
        const a = x[i + j], b = x[i + j + half];
        const cos = view.cos[angle + j], sin = sign * view.sin[angle + j];
        x[i + j] = a * cos - b * sin;
        x[i + j + half] = b * cos + a * sin;
      }
    }
  }
}

class Attention {
  constructor(config, space, rows, trained) {
    const { hidden_size: d, num_attention_heads: H, num_key_value_heads: K, head_dim: D } = config;
    const S = config.max_position_embeddings, own = () => space.take(rows * H * D), shared = () => space.take(rows * K * D);
    this.q_proj = new Linear(space, d, H * D, trained);
    this.k_proj = new Linear(space, d, K * D, trained);
    this.v_proj = new Linear(space, d, K * D, trained);
    this.o_proj = new Linear(space, H * D, d, trained);
    Object.assign(this, { space, rows, H, K, D, S, causal: config.is_causal });
    Object.assign(this, { q: own(), k: shared(), v: shared(), mixed: own(), weights: space.take(H * rows * S) });
    if (trained) Object.assign(this, { dQ: own(), dK: shared(), dV: shared(), dMixed: own(), scratch: space.take(16 * S) });
  }

  /** Keys and values of earlier tokens are still there, before those of the new ones: that is the KV cache. */
  forward(x, y, n, view) {
    const { q, H, K, D } = this, from = view.start * K * D;
    const k = this.k.subarray(from, from + n * K * D), v = this.v.subarray(from, from + n * K * D);
    this.q_proj.forward(x, q, n);
    this.k_proj.forward(x, k, n);
    this.v_proj.forward(x, v, n);
    rotate(q, H, D, n, view);
    rotate(k, K, D, n, view);
    attention(this.space, this, view.spans);
    this.o_proj.forward(this.mixed, y, n);
  }

  backward(x, dy, dx, n, view) {
    const { dQ, dK, dV, H, K, D } = this;
    this.o_proj.backward(this.mixed, dy, this.dMixed, n);
    dK.fill(0);
    dV.fill(0);
    attentionBackward(this.space, this, view.spans);
    rotate(dQ, H, D, n, view, -1);
    rotate(dK, K, D, n, view, -1);
    this.q_proj.backward(x, dQ, dx, n);
    this.k_proj.backward(x, dK, dx, n, true);
    this.v_proj.backward(x, dV, dx, n, true);
  }
}

/** SwiGLU (Shazeer 2020, arXiv:2002.05202). */
class MLP {
  constructor({ hidden_size: d, intermediate_size: width }, space, rows, trained) {
    this.width = width;
    this.gate_proj = new Linear(space, d, width, trained);
    this.up_proj = new Linear(space, d, width, trained);
    this.down_proj = new Linear(space, width, d, trained);
    const own = () => space.take(rows * width);
    Object.assign(this, { gate: own(), up: own(), inner: own() });
    if (trained) this.dInner = own();
  }

  forward(x, y, n) {
    const { gate, up, inner } = this;
    this.gate_proj.forward(x, gate, n);
    this.up_proj.forward(x, up, n);
    for (let i = 0; i < n * this.width; i++) inner[i] = (gate[i] / (1 + Math.exp(-gate[i]))) * up[i];
    this.down_proj.forward(inner, y, n);
  }

  /** The gradients of `gate` and `up` take their places: they are not needed afterwards. */
  backward(x, dy, dx, n) {
    const { gate, up, inner, dInner } = this;
    this.down_proj.backward(inner, dy, dInner, n);
    for (let i = 0; i < n * this.width; i++) {
      const sigmoid = 1 / (1 + Math.exp(-gate[i])), silu = gate[i] * sigmoid;
      gate[i] = dInner[i] * up[i] * (sigmoid + silu * (1 - sigmoid));
      up[i] = dInner[i] * silu;
    }
    this.gate_proj.backward(x, gate, dx, n);
    this.up_proj.backward(x, up, dx, n, true);
  }
}

class Block {
  constructor(config, space, rows, trained) {
    const { hidden_size: d, rms_norm_eps: eps } = config, own = () => space.take(rows * d);
    this.input_layernorm = new RMSNorm(space, d, eps, rows, trained);
    this.self_attn = new Attention(config, space, rows, trained);
    this.post_attention_layernorm = new RMSNorm(space, d, eps, rows, trained);
    this.mlp = new MLP(config, space, rows, trained);
    Object.assign(this, { d, normed: [own(), own()], middle: own(), out: own() });
  }

  forward(x, n, view) {
    const { normed, middle, out, d } = this;
    this.input_layernorm.forward(x, normed[0], n);
    this.self_attn.forward(normed[0], middle, n, view);
    for (let i = 0; i < n * d; i++) middle[i] += x[i];
    this.post_attention_layernorm.forward(middle, normed[1], n);
    this.mlp.forward(normed[1], out, n);
    for (let i = 0; i < n * d; i++) out[i] += middle[i];
    return out;
  }

  /** `dx` comes in as the gradient of what the block wrote, and goes out as that of what it read. */
  backward(x, dx, scratch, n, view) {
    this.mlp.backward(this.normed[1], dx, scratch, n);
    this.post_attention_layernorm.backward(this.middle, scratch, dx, n);
    this.self_attn.backward(this.normed[0], dx, scratch, n, view);
    this.input_layernorm.backward(x, scratch, dx, n);
  }
}

/** What one pass may look at: positions and spans (see attention.js), the same for every layer. */
class View {
  constructor(table, T, start, spans) {
    Object.assign(this, table, { T, start, spans });
  }

  position(row) {
    return this.start + (row % this.T);
  }
}

/** Embedding, blocks, last norm: token ids → hidden states (n, d). */
class Decoder {
  constructor(config, space, rows, trained) {
    const { vocab_size: V, hidden_size: d, num_hidden_layers: layers, rms_norm_eps: eps } = config;
    this.d = d;
    this.embed_tokens = { weight: new Parameter(space, [V, d], trained) };
    this.layers = Array.from({ length: layers }, () => new Block(config, space, rows, trained));
    this.norm = new RMSNorm(space, d, eps, rows, trained);
    Object.assign(this, { embedded: space.take(rows * d), hidden: space.take(rows * d) });
    if (trained) Object.assign(this, { dHidden: space.take(rows * d), dx: space.take(rows * d), scratch: space.take(rows * d) });
  }

  forward(ids, view) {
    const { d, embedded, hidden } = this, { value: table } = this.embed_tokens.weight;
    ids.forEach((id, row) => embedded.set(table.subarray(id * d, (id + 1) * d), row * d));
    const last = this.layers.reduce((x, block) => block.forward(x, ids.length, view), embedded);
    this.norm.forward(last, hidden, ids.length);
    return hidden;
  }

  backward(ids, view) {
    const { d, layers, dHidden, dx, scratch } = this, n = ids.length, { gradient } = this.embed_tokens.weight;
    const input = (layer) => (layer ? layers[layer - 1].out : this.embedded);
    dx.fill(0);
    this.norm.backward(input(layers.length), dHidden, dx, n);
    for (let layer = layers.length - 1; layer >= 0; layer--) layers[layer].backward(input(layer), dx, scratch, n, view);
    ids.forEach((id, row) => {
      for (let j = 0; j < d; j++) gradient[id * d + j] += dx[row * d + j];
    });
  }
}

/** Weights and, if they are trained, their gradient. */
class Parameter {
  constructor(space, shape, trained) {
    const size = shape.reduce((product, length) => product * length);
    this.shape = shape;
    this.value = space.take(size);
    this.gradient = trained ? space.take(size) : null;
  }
}

const LOGITS = 64; // rows of logits at a time: (n, V) would be by far the largest matrix of a step

/** A decoder that predicts tokens. */
export class Transformer {
  /**
   * @param {object} config as in Hugging Face's config.json
   * @param {Space} space
   * @param {{rows: number, trained: boolean}} options how many tokens a pass may have; whether there are gradients
   */
  constructor(config, space, { rows, trained }) {
    this.config = config;
    this.space = space;
    this.table = rotaryTable(config);
    this.model = new Decoder(config, space, rows, trained);
    this.lm_head = config.tie_word_embeddings
      ? { weight: this.model.embed_tokens.weight }
      : { weight: new Parameter(space, [config.vocab_size, config.hidden_size], trained) };
    this.logits = space.take(Math.min(rows, LOGITS) * config.vocab_size);
    this.length = 0; // tokens in the KV cache
  }

  /** The parameters by Hugging Face's names. */
  namedParameters() {
    const found = new Map();
    const walk = (part, name) => {
      for (const [key, value] of Object.entries(part)) {
        const path = name ? `${name}.${key}` : key;
        if (value instanceof Parameter) found.set(path, value);
        else if (Array.isArray(value) && value[0] instanceof Block) value.forEach((block, i) => walk(block, `${path}.${i}`));
        else if ([Decoder, Attention, MLP, RMSNorm, Linear, Object].includes(value?.constructor)) walk(value, path);
      }
    };
    walk({ model: this.model, lm_head: this.config.tie_word_embeddings ? null : this.lm_head }, "");
    return found;
  }

  /**
   * Normal weights, those that write into the residual stream smaller the more blocks add up (GPT-2, Radford et al.
   * 2019, section 2.3); norms start at 1.
   * @param {() => number} normal draws from the standard normal distribution
   */
  initialize(normal) {
    const { initializer_range: range, num_hidden_layers: layers } = this.config;
    for (const [name, { value, shape }] of this.namedParameters()) {
      const scale = /(o_proj|down_proj)\.weight$/.test(name) ? range / Math.sqrt(2 * layers) : range;
      for (let i = 0; i < value.length; i++) value[i] = shape.length === 2 ? scale * normal() : 1;
    }
  }

  /** Forget the tokens in the KV cache from position `length` on. */
  rewind(length) {
    this.length = Math.min(this.length, length);
  }

  /** Read tokens after those in the KV cache; returns the logits (V,) after the last one. */
  read(ids) {
    const view = new View(this.table, ids.length, this.length, [
      { query: 0, queries: ids.length, key: 0, keys: this.length + ids.length },
    ]);
    const hidden = this.model.forward(ids, view);
    this.length += ids.length;
    this.head(hidden, ids.length - 1, 1);
    return this.logits.subarray(0, this.config.vocab_size);
  }

  /** Logits of `n` rows of hidden states, into `logits`. */
  head(hidden, first, n) {
    const { hidden_size: d, vocab_size: V } = this.config;
    this.space.dot(at(this.logits), V, at(hidden) + first * d, d, at(this.lm_head.weight.value), d, n, V, d);
  }

  /**
   * The summed cross-entropy of a batch in nats; with `backward`, the gradients of its mean are added up, too.
   * @param {{inputIds: number[], labels: number[], T: number, spans: object[], numItems: number}} batch see batches.js
   */
  loss({ inputIds: ids, labels, T, spans, numItems }, backward = false) {
    const view = new View(this.table, T, 0, spans), { hidden_size: d } = this.config;
    const hidden = this.model.forward(ids, view);
    let loss = 0;
    this.length = 0; // the keys and values of a KV cache are gone
    for (let first = 0; first < ids.length; first += LOGITS) {
      const n = Math.min(LOGITS, ids.length - first);
      this.head(hidden, first, n);
      loss += crossEntropy(this.logits, labels.slice(first, first + n), this.config.vocab_size, backward ? 1 / numItems : 0);
      if (backward) this.headBackward(hidden, first, n);
    }
    if (backward) this.model.backward(ids, view);
    return loss;
  }

  headBackward(hidden, first, n) {
    const { hidden_size: d, vocab_size: V } = this.config, { value, gradient } = this.lm_head.weight, dLogits = at(this.logits);
    this.space.product(at(gradient), d, dLogits, 1, V, at(hidden) + first * d, d, V, d, n, true);
    this.space.product(at(this.model.dHidden) + first * d, d, dLogits, V, 1, at(value), d, n, d, V, false);
  }
}

/** The cross-entropy of labels under rows of logits, summed; the logits become `scale` times their gradients. */
function crossEntropy(logits, labels, V, scale) {
  let loss = 0;
  labels.forEach((label, row) => {
    const x = logits.subarray(row * V, (row + 1) * V);
    if (label < 0) return void x.fill(0); // a label that is not to be predicted
    let most = -Infinity, total = 0;
    for (let j = 0; j < V; j++) if (x[j] > most) most = x[j];
    const own = x[label] - most;
    for (let j = 0; j < V; j++) total += x[j] = Math.exp(x[j] - most);
    loss += Math.log(total) - own;
    for (let j = 0; j < V; j++) x[j] *= scale / total;
    x[label] -= scale;
  });
  return loss;
}
