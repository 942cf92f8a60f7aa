import { pressed } from "./dom";

/**
 * A link to a dialog's id opens it through :target without script. With script it becomes modal: focus
 * goes to the safe button, Esc closes, and the browser gives focus back to the link.
 */
export function startDialogs(): void {
  document.addEventListener("click", (event) => {
    const link = pressed<HTMLAnchorElement>(event, 'a[href^="#"]');
    if (!link) return;
    const inside = link.closest("dialog");
    if (inside && link.dataset.close !== undefined) {
      event.preventDefault();
      inside.close();
    } else if (openDialog(link.hash.slice(1))) {
      event.preventDefault();
    }
  });
  if (openDialog(location.hash.slice(1))) history.replaceState(null, "", location.pathname + location.search);
}

/** Open the dialog with this id as a modal one; false if there is none. */
export function openDialog(id: string): boolean {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement)) return false;
  if (!dialog.open) dialog.showModal();
  dialog.querySelector<HTMLElement>("[data-close]")?.focus();
  return true;
}
