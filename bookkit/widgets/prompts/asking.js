// What a model is asked: the ids of a prompt as its training laid them out.
import { flatten, segmentsOfChat } from "./chat.js";

/** Whether a tokenizer is that of a model which answers in a chat. */
export function isChat(tokenizer) {
  return tokenizer.id("<|user|>") !== undefined && tokenizer.id("<|assistant|>") !== undefined;
}

/** The ids of a prompt: a user's message for a model of chats, for any other the beginning of a text. */
export function idsOf(prompt, tokenizer) {
  if (!isChat(tokenizer)) return [tokenizer.id("<|bos|>"), ...tokenizer.encode(prompt)];
  const asked = segmentsOfChat([{ role: "user", content: prompt }], tokenizer);
  return [...flatten(asked).ids, tokenizer.id("<|assistant|>")];
}
