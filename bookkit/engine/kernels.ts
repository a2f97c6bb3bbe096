// The three matrix products that training spends its time in, four numbers at a time: AssemblyScript, which the build
// compiles to a WebAssembly module (bookkit/web/kernels.mjs). kernels.js has the same functions in plain JavaScript.
//
// All arguments count numbers (float32), not bytes: where a matrix begins in the memory, and how far its rows are apart.

/** c[m, n] = Σ over k of a[m, k] b[n, k]: the rows of a by the rows of b, as in y = x Wᵀ. */
export function dot(c: i32, ldc: i32, a: i32, lda: i32, b: i32, ldb: i32, M: i32, N: i32, K: i32): void {
  let m = 0;
  for (; m + 4 <= M; m += 4) {
    let n = 0;
    for (; n + 2 <= N; n += 2) dot4x2(c + m * ldc + n, ldc, a + m * lda, lda, b + n * ldb, ldb, K);
    for (; n < N; n++) for (let i = 0; i < 4; i++) dot1(c + (m + i) * ldc + n, a + (m + i) * lda, b + n * ldb, K);
  }
  for (; m < M; m++) {
    let n = 0;
    for (; n + 4 <= N; n += 4) dot1x4(c + m * ldc + n, a + m * lda, b + n * ldb, ldb, K);
    for (; n < N; n++) dot1(c + m * ldc + n, a + m * lda, b + n * ldb, K);
  }
}

/** c[m, n] (+)= Σ over k of a[m, k] b[k, n]; `am` and `ak` are the distances of a's rows and columns, so that a may
 * be read transposed, as in dW += dyᵀ x. */
export function product(
  c: i32, ldc: i32, a: i32, am: i32, ak: i32, b: i32, ldb: i32, M: i32, N: i32, K: i32, add: bool,
): void {
  let n = 0;
  for (; n + 8 <= N; n += 8) {
    let m = 0;
    for (; m + 4 <= M; m += 4) product4x8(c + m * ldc + n, ldc, a + m * am, am, ak, b + n, ldb, K, add);
    for (; m < M; m++) product1x8(c + m * ldc + n, a + m * am, ak, b + n, ldb, K, add);
  }
  for (; n < N; n++) {
    for (let m = 0; m < M; m++) {
      const at = c + m * ldc + n;
      let sum: f32 = add ? number(at) : 0;
      for (let k = 0; k < K; k++) sum += number(a + m * am + k * ak) * number(b + k * ldb + n);
      store<f32>(at << 2, sum);
    }
  }
}

// @ts-ignore: a decorator of AssemblyScript
@inline function number(at: i32): f32 { return load<f32>(at << 2); }
// @ts-ignore
@inline function four(at: i32): v128 { return v128.load(at << 2); }
// @ts-ignore
@inline function same(at: i32): v128 { return v128.load32_splat(at << 2); }
// @ts-ignore
@inline function sum(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}
// @ts-ignore
@inline function fma(sum: v128, x: v128, y: v128): v128 { return f32x4.add(sum, f32x4.mul(x, y)); }

function dot1(c: i32, a: i32, b: i32, K: i32): void {
  store<f32>(c << 2, rest(dotOf(a, b, K), a, b, K));
}

// @ts-ignore
@inline function dotOf(a: i32, b: i32, K: i32): f32 {
  let s = f32x4.splat(0);
  for (let k = 0; k + 4 <= K; k += 4) s = fma(s, four(a + k), four(b + k));
  return sum(s);
}

/** Adds what a multiple of four has left out. */
// @ts-ignore
@inline function rest(whole: f32, a: i32, b: i32, K: i32): f32 {
  for (let k = K & ~3; k < K; k++) whole += number(a + k) * number(b + k);
  return whole;
}

function dot1x4(c: i32, a: i32, b: i32, ldb: i32, K: i32): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  const b1 = b + ldb, b2 = b1 + ldb, b3 = b2 + ldb;
  for (let k = 0; k + 4 <= K; k += 4) {
    const x = four(a + k);
    s0 = fma(s0, x, four(b + k)); s1 = fma(s1, x, four(b1 + k));
    s2 = fma(s2, x, four(b2 + k)); s3 = fma(s3, x, four(b3 + k));
  }
  store<f32>(c << 2, rest(sum(s0), a, b, K)); store<f32>((c + 1) << 2, rest(sum(s1), a, b1, K));
  store<f32>((c + 2) << 2, rest(sum(s2), a, b2, K)); store<f32>((c + 3) << 2, rest(sum(s3), a, b3, K));
}

function dot4x2(c: i32, ldc: i32, a: i32, lda: i32, b: i32, ldb: i32, K: i32): void {
  const a1 = a + lda, a2 = a1 + lda, a3 = a2 + lda, d = b + ldb;
  const c1 = c + ldc, c2 = c1 + ldc, c3 = c2 + ldc;
  let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  for (let k = 0; k + 4 <= K; k += 4) {
    const y0 = four(b + k), y1 = four(d + k);
    let x = four(a + k);
    s00 = fma(s00, x, y0); s01 = fma(s01, x, y1);
    x = four(a1 + k);
    s10 = fma(s10, x, y0); s11 = fma(s11, x, y1);
    x = four(a2 + k);
    s20 = fma(s20, x, y0); s21 = fma(s21, x, y1);
    x = four(a3 + k);
    s30 = fma(s30, x, y0); s31 = fma(s31, x, y1);
  }
  store<f32>(c << 2, rest(sum(s00), a, b, K)); store<f32>((c + 1) << 2, rest(sum(s01), a, d, K));
  store<f32>(c1 << 2, rest(sum(s10), a1, b, K)); store<f32>((c1 + 1) << 2, rest(sum(s11), a1, d, K));
  store<f32>(c2 << 2, rest(sum(s20), a2, b, K)); store<f32>((c2 + 1) << 2, rest(sum(s21), a2, d, K));
  store<f32>(c3 << 2, rest(sum(s30), a3, b, K)); store<f32>((c3 + 1) << 2, rest(sum(s31), a3, d, K));
}

function product1x8(c: i32, a: i32, ak: i32, b: i32, ldb: i32, K: i32, add: bool): void {
  let s0 = f32x4.splat(0), s1 = s0;
  if (add) { s0 = four(c); s1 = four(c + 4); }
  for (let k = 0; k < K; k++, a += ak, b += ldb) {
    const x = same(a);
    s0 = fma(s0, x, four(b)); s1 = fma(s1, x, four(b + 4));
  }
  v128.store(c << 2, s0); v128.store((c + 4) << 2, s1);
}

function product4x8(
  c: i32, ldc: i32, a: i32, am: i32, ak: i32, b: i32, ldb: i32, K: i32, add: bool,
): void {
  const c1 = c + ldc, c2 = c1 + ldc, c3 = c2 + ldc, am2 = 2 * am, am3 = 3 * am;
  let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  if (add) {
    s00 = four(c); s01 = four(c + 4); s10 = four(c1); s11 = four(c1 + 4);
    s20 = four(c2); s21 = four(c2 + 4); s30 = four(c3); s31 = four(c3 + 4);
  }
  for (let k = 0; k < K; k++, a += ak, b += ldb) {
    const y0 = four(b), y1 = four(b + 4);
    let x = same(a);
    s00 = fma(s00, x, y0); s01 = fma(s01, x, y1);
    x = same(a + am);
    s10 = fma(s10, x, y0); s11 = fma(s11, x, y1);
    x = same(a + am2);
    s20 = fma(s20, x, y0); s21 = fma(s21, x, y1);
    x = same(a + am3);
    s30 = fma(s30, x, y0); s31 = fma(s31, x, y1);
  }
  v128.store(c << 2, s00); v128.store((c + 4) << 2, s01); v128.store(c1 << 2, s10); v128.store((c1 + 4) << 2, s11);
  v128.store(c2 << 2, s20); v128.store((c2 + 4) << 2, s21); v128.store(c3 << 2, s30); v128.store((c3 + 4) << 2, s31);
}
