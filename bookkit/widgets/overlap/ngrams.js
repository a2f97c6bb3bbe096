// ROUGE and the BLEU of one sentence, as rouge-score and sacrebleu compute them (compared in tests/bookkit/test_overlap.py).

/** The words that ROUGE counts, with their places in the text. */
export function words(text) {
  return [...text.matchAll(/[a-z0-9]+/gi)].map((found) => ({
    word: found[0].toLowerCase(),
    start: found.index,
    end: found.index + found[0].length,
  }));
}

/** The tokens that BLEU counts: those of mteval-v13a, sacrebleu's default. */
export function tokens(text) {
  let line = text.trimEnd().replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ");
  for (const [name, sign] of [["&quot;", '"'], ["&amp;", "&"], ["&lt;", "<"], ["&gt;", ">"]])
    line = line.replaceAll(name, sign);
  line = ` ${line} `
    .replace(/([{-~[-` -&(-+:-@/])/g, " $1 ")
    .replace(/([^0-9])([.,])/g, "$1 $2 ")
    .replace(/([.,])([^0-9])/g, " $1 $2")
    .replace(/([0-9])(-)/g, "$1 $2 ");
  return line.split(/\s+/).filter(Boolean);
}

/** Each run of n words, with the places where it begins. */
function runs(list, n) {
  const found = new Map();
  for (let k = 0; k + n <= list.length; k++) {
    const run = list.slice(k, k + n).join(" ");
    found.set(run, [...(found.get(run) ?? []), k]);
  }
  return found;
}

/**
 * The runs of n words that two lists share, each as often as it is in both.
 * @returns {{hits: number, first: Set<number>, second: Set<number>}} how many, and which words belong to them
 */
export function shared(one, other, n) {
  const [mine, its] = [runs(one, n), runs(other, n)];
  const marked = { hits: 0, first: new Set(), second: new Set() };
  for (const [run, places] of mine) {
    const theirs = its.get(run) ?? [];
    const both = Math.min(places.length, theirs.length);
    marked.hits += both;
    for (let k = 0; k < both; k++)
      for (let i = 0; i < n; i++) {
        marked.first.add(places[k] + i);
        marked.second.add(theirs[k] + i);
      }
  }
  return marked;
}

/** The longest common subsequence, in the form of `shared`. */
export function inOrder(one, other) {
  const length = Array.from({ length: one.length + 1 }, () => new Array(other.length + 1).fill(0));
  for (let i = one.length - 1; i >= 0; i--)
    for (let j = other.length - 1; j >= 0; j--)
      length[i][j] =
        one[i] === other[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
  const marked = { hits: length[0][0], first: new Set(), second: new Set() };
  for (let i = 0, j = 0; i < one.length && j < other.length; )
    if (one[i] === other[j]) {
      marked.first.add(i++);
      marked.second.add(j++);
    } else if (length[i + 1][j] >= length[i][j + 1]) i++;
    else j++;
  return marked;
}

/** Hits, of how many runs of the reference and of the answer, and the F1 of both shares. */
function measured(hits, wanted, said) {
  return { hits, wanted, said, f1: hits ? (2 * hits) / (wanted + said) : 0 };
}

/** ROUGE-1, ROUGE-2 and ROUGE-L of an answer. */
export function rouge(answer, reference) {
  const [said, wanted] = [answer, reference].map((text) => words(text).map(({ word }) => word));
  const count = (list, n) => Math.max(list.length - n + 1, 0);
  const ofRuns = (n) => measured(shared(said, wanted, n).hits, count(wanted, n), count(said, n));
  return {
    rouge1: ofRuns(1),
    rouge2: ofRuns(2),
    rougeL: measured(inOrder(said, wanted).hits, wanted.length, said.length),
  };
}

/** BLEU of one answer: its precisions as [hits, runs], the brevity penalty, and the score. */
export function bleu(answer, reference) {
  const [said, wanted] = [tokens(answer), tokens(reference)];
  const precisions = [1, 2, 3, 4].map((n) => [shared(said, wanted, n).hits, Math.max(said.length - n + 1, 0)]);
  const there = precisions.filter(([, all]) => all);
  const penalty = said.length ? Math.min(1, Math.exp(1 - wanted.length / said.length)) : 0;
  if (!there.some(([hits]) => hits)) return { precisions, penalty, score: 0 };
  let missing = 1; // a run that is missing counts as half a hit, the next one as a quarter
  const logs = there.map(([hits, all]) => Math.log((hits || 1 / (missing *= 2)) / all));
  const mean = Math.exp(logs.reduce((sum, each) => sum + each, 0) / there.length);
  return { precisions, penalty, score: penalty * mean };
}
