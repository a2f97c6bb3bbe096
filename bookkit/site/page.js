// What the theme and its extensions have in scripts and handlers within the page, which its policy does not run.

var toggleHintShow = "Click to show";
var toggleHintHide = "Click to hide";
var toggleOpenOnPrint = "false"; // book.css says what paper shows
var togglebuttonSelector = ".toggle, .admonition.dropdown";

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-fm-click]");
  if (button?.dataset.fmClick === "print") window.print();
  if (button?.dataset.fmClick === "full-screen") window.toggleFullScreen();
});

document.addEventListener("DOMContentLoaded", () => {
  if (document.querySelector("#search-results")) document.querySelector("form.bd-search input")?.select();
});
