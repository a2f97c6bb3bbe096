// Where the numbers of a model lie, and the matrix products over them: in WebAssembly with SIMD (kernels.ts) where the
// browser can, in plain JavaScript where it cannot. Everything of a model lies in one memory, so nothing is copied.
//
// The products take places in that memory (`at`), counted in numbers, and the distances between rows.

/** One memory, handed out piece by piece, and the products over it. */
export class Space {
  /**
   * @param {number} size in numbers (float32)
   * @param {BufferSource | null} wasm kernels.ts, compiled; null for plain JavaScript
   */
  constructor(size, wasm) {
    const simd = wasm && typeof WebAssembly === "object" && WebAssembly.validate(wasm);
    const memory = simd ? new WebAssembly.Memory({ initial: Math.ceil(size / 16384) }) : { buffer: new ArrayBuffer(4 * size) };
    this.numbers = new Float32Array(memory.buffer, 0, size);
    this.used = 0;
    Object.assign(this, simd ? compiled(wasm, memory) : plain(this.numbers));
  }

  /** A piece of the memory, all zeros: views of it stay valid, since the memory never grows. */
  take(size) {
    this.used += size;
    return this.numbers.subarray(this.used - size, this.used);
  }
}

/** Counts what `build` takes of a space, so that one of the right size can be made. */
export function sizeOf(build) {
  const counter = { used: 0, take(size) { this.used += size; return new Float32Array(0); } };
  build(counter);
  return counter.used;
}

/** The place of a view in its memory. */
export const at = (view) => view.byteOffset / 4;

function compiled(wasm, memory) {
  const { dot, product } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory } }).exports;
  return { dot, product, simd: true };
}

function plain(x) {
  /** c[m, n] = Σ over k of a[m, k] b[n, k]: the rows of a by the rows of b, as in y = x Wᵀ. */
  function dot(c, ldc, a, lda, b, ldb, M, N, K) {
    for (let m = 0; m < M; m++) {
      for (let n = 0; n < N; n++) {
        const p = a + m * lda, q = b + n * ldb;
        let s0 = 0, s1 = 0, k = 0;
        for (; k + 2 <= K; k += 2) {
          s0 += x[p + k] * x[q + k];
          s1 += x[p + k + 1] * x[q + k + 1];
        }
        if (k < K) s0 += x[p + k] * x[q + k];
        x[c + m * ldc + n] = s0 + s1;
      }
    }
  }

  /** c[m, n] (+)= Σ over k of a[m, k] b[k, n]; `am` and `ak` are the distances of a's rows and columns. */
  function product(c, ldc, a, am, ak, b, ldb, M, N, K, add) {
    for (let m = 0; m < M; m++) {
      const row = c + m * ldc;
      if (!add) x.fill(0, row, row + N);
      for (let k = 0; k < K; k++) {
        const factor = x[a + m * am + k * ak], other = b + k * ldb;
        if (factor !== 0) for (let n = 0; n < N; n++) x[row + n] += factor * x[other + n];
      }
    }
  }

  return { dot, product, simd: false };
}
