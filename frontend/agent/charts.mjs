// The sliders that read charts (`app/src/written/chart/line.rs`).

document.addEventListener("input", ({ target }) => target.matches?.("[data-reads]") && mark(target, true));
document.addEventListener("focusin", ({ target }) => target.matches?.("[data-reads]") && mark(target, true));
document.addEventListener("focusout", ({ target }) => target.matches?.("[data-reads]") && mark(target, false));

/** Called whenever a written page is settled. */
export function read(root) {
  for (const slider of root.querySelectorAll("[data-reads]")) mark(slider, slider === document.activeElement);
}

/** Says the row of the table a slider stands at, and marks its place. */
function mark(slider, shown) {
  const row = document.getElementById(slider.dataset.reads)?.tBodies[0].rows[slider.value];
  if (!row) return;
  const text = [...row.cells].map((cell) => cell.textContent).join(": ");
  slider.setAttribute("aria-valuetext", text);
  slider.parentElement.querySelector("output").textContent = shown ? text : "";
  const x = (1000 * slider.value) / Math.max(1, slider.max);
  slider.closest("[data-part]").querySelector(".cursor").setAttribute("d", shown ? `M${x} 0V160` : "");
}
