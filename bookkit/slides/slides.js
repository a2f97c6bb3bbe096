// Makes the letters of each slide as large as fit, and starts the deck. The space bar goes on, Escape shows all
// slides, S the speaker's notes; with ?print-pdf in the address the browser prints it, one slide a page.
const LARGEST = 34, SMALLEST = 18; // px on a slide of 1280 × 720

function overflows(slide) {
  const body = slide.querySelector(".body");
  return [slide, body].some((one) => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1);
}

function fit(slide) {
  let size = LARGEST;
  while (overflows(slide) && size > SMALLEST) slide.style.setProperty("--size", `${--size}px`);
}

async function fitAll() {
  for (const svg of document.querySelectorAll("figure.fm-figure > svg")) {
    const { width, height } = svg.viewBox.baseVal;
    svg.parentElement.classList.toggle("fm-tall", height > width);
  }
  document.documentElement.classList.add("fitting"); // all slides are laid out, so that they have a size
  document.body.getBoundingClientRect();
  await document.fonts.ready; // formulas have theirs
  document.querySelectorAll(".slide").forEach(fit);
  document.documentElement.classList.remove("fitting");
}

fitAll().then(() => Reveal.initialize({
  width: 1280,
  height: 720,
  margin: 0,
  center: false,
  hash: true,
  transition: "none",
  slideNumber: "c/t",
  showSlideNumber: "all",
  plugins: [RevealNotes],
}));
