// Makes one picture of the stages that the page lists: pointing at a stage, or moving the focus there, shows its
// facts; a click or Enter opens its example; again, a click outside or Escape closes it.

function render({ el: explorer }) {
  const stages = [...explorer.querySelectorAll(".fm-stage")];
  const buttons = stages.map(makeButton);
  const full = explorer.querySelector(".fm-full");

  function show(number) {
    stages.forEach((stage, other) => stage.classList.toggle("shown", other === number));
  }

  function open(number) { // null closes
    stages.forEach((stage, other) => stage.classList.toggle("open", other === number));
    buttons.forEach((button, other) => button.setAttribute("aria-expanded", String(other === number)));
  }

  buttons.forEach((button, number) => {
    // A finger that comes down would show the facts for an instant before its click opens the example.
    button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(number));
    button.addEventListener("focus", () => show(number));
    button.addEventListener("click", () => {
      show(number);
      open(stages[number].classList.contains("open") ? null : number);
    });
  });

  // On pointerup and not on pointerdown: a finger that scrolls the page past the picture closes nothing.
  document.addEventListener("pointerup", (event) => {
    const inside = event.target.closest?.(".fm-stage-example, .fm-stage-head, .fm-full");
    if (!inside || !explorer.contains(inside)) open(null);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") open(null);
  });

  full.hidden = !document.fullscreenEnabled;
  full.addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else explorer.requestFullscreen();
  });
  document.addEventListener("fullscreenchange", () => {
    full.textContent = document.fullscreenElement === explorer ? "Leave full screen" : "Full screen";
  });

  show(0);
  open(null);
}

function makeButton(stage) {
  const head = stage.querySelector(".fm-stage-head");
  const button = document.createElement("button");
  button.type = "button";
  button.className = head.className;
  button.setAttribute("aria-controls", stage.querySelector(".fm-stage-example").id);
  button.setAttribute("aria-describedby", stage.querySelector(".fm-stage-facts").id);
  button.append(...head.childNodes);
  head.replaceWith(button);
  return button;
}

export default { render };
