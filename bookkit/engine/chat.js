// What a model reads of an example and what it learns from it: fmkit's data/chat.py and data/example_batches.py in the
// page. An example is a list of segments, { role, ids, learned, token }: pieces of ids, who says them, and whether the
// model learns to write them. A special token is a segment by itself, with its name as `token`.

export const IGNORE = -100; // the label of a token that is not learned

/**
 * The segments of a conversation: <|bos|><|system|>…<|user|>…<|assistant|>…<|eos|>. Only what the assistant says
 * is learned, and the <|eos|> after it, where `weight` is not 0.
 * @param {{role: string, content: string, weight?: number}[]} messages
 */
export function segmentsOfChat(messages, tokenizer) {
  const segments = [special("start", "<|bos|>", tokenizer)];
  for (const { role, content, weight } of messages) {
    const learned = role === "assistant" && weight !== 0;
    segments.push(special(role, `<|${role}|>`, tokenizer), { role, ids: tokenizer.encode(content), learned });
    if (role === "assistant") segments.push(special(role, "<|eos|>", tokenizer, learned));
  }
  return segments;
}

/** The segments of <|bos|> prompt completion <|eos|>. */
export function segmentsOfCompletion(prompt, completion, tokenizer) {
  return [
    special("start", "<|bos|>", tokenizer),
    { role: "prompt", ids: tokenizer.encode(prompt), learned: false },
    { role: "completion", ids: tokenizer.encode(completion), learned: true },
    special("completion", "<|eos|>", tokenizer, true),
  ];
}

/** The segments of a text, which a classifier only reads, and a model that goes on pre-training learns. */
export function segmentsOfText(text, tokenizer, learned) {
  return [special("start", "<|bos|>", tokenizer), { role: "text", ids: tokenizer.encode(text), learned }];
}

/** The segments with only the last answer learned: of a pair, the last answers are compared. */
export function lastAnswer(segments) {
  const last = segments.findLastIndex((segment) => segment.learned && !segment.token);
  return segments.map((segment, at) => ({ ...segment, learned: segment.learned && at >= last }));
}

/**
 * Ids and labels of equal length, cut at the context; the labels are `IGNORE` where nothing is learned.
 * @returns {{ids: number[], labels: number[]}}
 */
export function flatten(segments, context = Infinity) {
  const ids = segments.flatMap((segment) => segment.ids);
  const labels = segments.flatMap(({ ids: own, learned }) => own.map((id) => (learned ? id : IGNORE)));
  return { ids: ids.slice(0, context), labels: labels.slice(0, context) };
}

function special(role, token, tokenizer, learned = false) {
  return { role, token, ids: [tokenizer.id(token)], learned };
}
