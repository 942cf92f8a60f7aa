import { glyph, pressed } from "./dom";

const SECONDS = 8;

/** Say the result of something script did. Nothing lives only here. */
export function toast(sentence: string): void {
  const place = document.getElementById("toasts");
  if (!place) return;
  const box = document.createElement("div");
  box.className = "toast st-succeeded";
  const text = document.createElement("p");
  text.textContent = sentence;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn small icon quiet";
  close.dataset.dismiss = "";
  close.setAttribute("aria-label", "Dismiss");
  close.append(glyph("i-x-mark"));
  box.append(glyph("i20-check-circle", "i20"), text, close);
  place.replaceChildren(box);

  let timer = 0;
  const wait = () => {
    timer = window.setTimeout(() => box.remove(), SECONDS * 1000);
  };
  const hold = () => window.clearTimeout(timer);
  box.addEventListener("pointerenter", hold);
  box.addEventListener("pointerleave", wait);
  box.addEventListener("focusin", hold);
  box.addEventListener("focusout", wait);
  wait();
}

/** Close buttons of toasts and flashes. */
export function startToasts(): void {
  document.addEventListener("click", (event) => {
    pressed(event, "[data-dismiss]")?.closest(".toast, .note")?.remove();
  });
}
