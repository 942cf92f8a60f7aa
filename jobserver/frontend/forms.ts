import { glyph, pressed } from "./dom";

/** Forms: sent once, presets that tick in place, counters, focus on the error summary. */
export function startForms(): void {
  document.addEventListener("submit", sendOnce);
  document.addEventListener("click", tickPreset);
  document.addEventListener("change", forgetPreset);
  document.addEventListener("input", count);
  window.addEventListener("pageshow", (event) => {
    // Back from the next page with the old one kept: its buttons are live again.
    if (event.persisted && document.querySelector("form[data-sent]")) location.reload();
  });
  document.querySelector<HTMLElement>("main .error-summary:not(.example *)")?.focus();
}

/** Double sending is harmless on the server; the button says it is busy and ignores a second press. */
function sendOnce(event: SubmitEvent): void {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== "post" || event.defaultPrevented) return;
  if (event.submitter?.getAttribute("aria-disabled") === "true" || form.dataset.sent !== undefined) {
    event.preventDefault();
    return;
  }
  const button = event.submitter;
  if (form.hasAttribute("hx-post") || !(button instanceof HTMLElement)) return;
  form.dataset.sent = "";
  button.setAttribute("aria-busy", "true");
  button.replaceChildren(glyph("i-ring", "i16 spin"), button.dataset.busy || button.textContent || "");
}

/** A preset is a link that asks for the form with boxes ticked; here the boxes are ticked in place. */
function tickPreset(event: MouseEvent): void {
  const link = pressed<HTMLAnchorElement>(event, "[data-presets] a[data-values]");
  const name = link?.closest<HTMLElement>("[data-presets]")?.dataset.presets;
  const form = link?.closest("form");
  if (!link || !name || !form || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  const wanted = new Set((link.dataset.values ?? "").split(" "));
  for (const box of boxes(form, name)) box.checked = wanted.has(box.value);
  form.dispatchEvent(new Event("change", { bubbles: true }));
  mark(link);
}

/** A box ticked by hand: the preset that was shown as chosen no longer is. */
function forgetPreset(event: Event): void {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || !box.form) return;
  mark(box.form.querySelector(`[data-presets="${CSS.escape(box.name)}"] a[aria-current]`), false);
}

function mark(link: Element | null, chosen = true): void {
  for (const other of link?.parentElement?.children ?? []) other.removeAttribute("aria-current");
  if (chosen) link?.setAttribute("aria-current", "true");
}

function boxes(form: HTMLFormElement, name: string): NodeListOf<HTMLInputElement> {
  return form.querySelectorAll(`input[type=checkbox][name="${CSS.escape(name)}"]:not(:disabled)`);
}

/** "50 of 2,500 characters" beneath a text area with a limit. */
function count(event: Event): void {
  const area = event.target;
  if (!(area instanceof HTMLTextAreaElement)) return;
  const line = document.getElementById(`${area.id}-count`);
  if (!line) return;
  const number = new Intl.NumberFormat("en-GB");
  line.textContent = `${number.format(area.value.length)} of ${number.format(area.maxLength)} characters`;
}
