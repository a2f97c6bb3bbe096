// The reader's next word beside the model's recorded ones. What the reader types only ever becomes text.

function render({ el: box }) {
  const steps = [...box.querySelectorAll(".fm-guess-step")];
  const form = box.querySelector("form");
  const field = form.querySelector("input");
  const blank = box.querySelector(".fm-guess-blank");
  const result = box.querySelector(".fm-guess-result");
  const loss = box.querySelector(".fm-guess-loss");
  const rows = [...box.querySelectorAll("tbody tr")];

  function find(guess) { // as it is written, or else its first word
    const same = (row) => row.dataset.word === guess;
    const alike = (row) => row.dataset.word.toLowerCase() === first(guess);
    return rows.find(same) ?? rows.find(alike);
  }

  // The first word of a guess, without case, punctuation and an article before it: "The attic." is attic.
  function first(guess) {
    const words = guess.toLowerCase().replaceAll("’", "'").match(/[\p{L}\p{N}]+(?:['-][\p{L}\p{N}]+)*/gu) ?? [];
    return words.length > 1 && ["a", "an", "the"].includes(words[0]) ? words[1] : words[0];
  }

  function at(number) {
    steps.forEach((step, other) => {
      if (other === number) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    });
    box.classList.toggle("guessed", number > 1);
  }

  function clear() {
    field.value = result.textContent = loss.textContent = "";
    blank.textContent = "…";
    rows.forEach((row) => row.classList.remove("own"));
    at(1);
  }

  function compare(word) {
    if (!word) {
      clear();
      result.textContent = "Type a word, or pick one.";
      return;
    }
    const row = find(word);
    rows.forEach((other) => other.classList.toggle("own", other === row));
    blank.textContent = row?.dataset.word ?? word;
    result.textContent = row ? hit(word, row) : miss(word);
    loss.textContent = row
      ? `If your word came, it is −log\u00a0${row.dataset.p} =\u00a0${nats(row)}\u00a0nats.`
      : `If your word came, it is more than ${nats(rows.at(-1))} nats, and the weights move further.`;
    at(2);
  }

  function hit(word, row) {
    const rank = rows.indexOf(row) + 1;
    return `“${word}” is number ${rank} of the model’s list, with a probability of ${percent(row)}.`;
  }

  function miss(word) {
    return `“${word}” is not among the model’s first ${rows.length}: it has a probability below ${percent(rows.at(-1))}.`;
  }

  const percent = (row) => `${(100 * row.dataset.p).toFixed(1)}%`;
  const nats = (row) => (-Math.log(row.dataset.p)).toFixed(2);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    compare(field.value.trim());
  });
  box.querySelectorAll(".fm-guess-pick").forEach((button) => button.addEventListener("click", () => {
    field.value = button.dataset.word;
    compare(button.dataset.word);
  }));
  box.querySelector(".fm-guess-again").addEventListener("click", () => {
    clear();
    field.focus();
  });
  at(1);
}

export default { render };
