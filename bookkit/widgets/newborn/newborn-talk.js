// The reader's beginning, and how a model of the book goes on with it.
import { marked } from "./story.js";

const MODEL = "base";
const WRITING = { maxNewTokens: 250, temperature: 0.7 };

/** Let the reader talk to a model, which is loaded at the first press. */
export function createTalk(el) {
  const form = el.querySelector("form"), field = form.querySelector("input");
  const answer = el.querySelector(".fm-newborn-answer"), status = el.querySelector(".fm-newborn-verdict");
  let model = null, last = null, seed = 0;

  async function write(prompt) {
    last?.abort(); // the newest press counts
    const mine = (last = new AbortController());
    const wanted = () => last === mine;
    try {
      el.classList.remove("failed");
      status.textContent = model ? "Writing…" : "Loading the model…";
      model ??= await open();
      if (!wanted()) return;
      const { text, count, seconds } = await stream(prompt, mine.signal, wanted);
      if (!wanted()) return;
      const verdict = await model.judge(text);
      if (!wanted()) return;
      answer.replaceChildren(...marked(verdict, prompt.length));
      status.textContent = `${judgment(verdict, prompt)} ${count} tokens in ${seconds.toFixed(1)} s.`;
    } catch (error) {
      if (wanted()) fail(error.message);
    }
  }

  /** The model's continuation, shown as it comes. */
  async function stream(prompt, signal, wanted) {
    const { tokenizer } = model, ids = [], started = performance.now();
    const start = [tokenizer.id("<|bos|>"), ...tokenizer.encode(prompt)];
    const show = () => answer.replaceChildren(...marked(untold(prompt + tokenizer.decode(ids)), prompt.length));
    answer.classList.remove("fm-quiet");
    const ontoken = ({ id }) => {
      ids.push(id);
      if (wanted()) show();
    };
    await model.generate(start, { ...WRITING, seed: ++seed, signal, ontoken });
    return { text: prompt + tokenizer.decode(ids), count: ids.length, seconds: (performance.now() - started) / 1000 };
  }

  function fail(message) {
    el.classList.add("failed");
    answer.classList.add("fm-quiet");
    answer.replaceChildren("No story.");
    status.textContent = message;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    write(field.value.trim()); // a space at the end would be half of the next token
  });
  for (const pick of form.querySelectorAll("[type=button]")) {
    pick.addEventListener("click", () => write((field.value = pick.textContent)));
  }
}

async function open() {
  const { openModel } = await fmkit.load("engine");
  return openModel(MODEL);
}

/** A text without a verdict yet. */
function untold(text) {
  return { right: text, wrong: "", rest: "", expected: [], more: 0 };
}

function judgment({ right, valid, unfinished }, prompt) {
  if (valid) return "A true story: the world finds nothing wrong with it.";
  if (unfinished) return "Nothing is wrong so far, but the story has no end.";
  if (right.length < prompt.length) return "No story of its world begins like this. It goes on with what it knows.";
  return "Grammar comes first, truth last: the first wrong word is marked.";
}
