import { openDialog } from "./dialogs";

const GOTO: Record<string, string> = { h: "/", l: "/event-log/", s: "/status/" };
const ROWS = "main .tbl tbody tr, main [data-rows] > li";

/** Single keys; off while typing, with a modifier, or when <html data-keys="off">. */
export function startKeys(): void {
  let afterG = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || off() || typing(event.target)) return;
    if (document.querySelector("dialog[open]:modal")) return;
    const went = afterG && event.key in GOTO;
    if (went) location.assign(GOTO[event.key]);
    afterG = event.key === "g";
    if (went || afterG) return;
    if (event.key === "/") {
      event.preventDefault();
      focusSearch();
    } else if (event.key === "?") openDialog("keys");
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
  });
}

function off(): boolean {
  return document.documentElement.dataset.keys === "off";
}

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio])"))
  );
}

/** To the first search that can be seen; on a narrow screen the header has a link to it instead. */
function focusSearch(): void {
  const fields = [...document.querySelectorAll<HTMLInputElement>("input[type=search]")];
  const field = fields.find((each) => each.checkVisibility());
  if (field === undefined) {
    location.assign("/search/");
    return;
  }
  field.focus();
  field.select();
}

/** To the next or previous file; in a list to the first link of that row. What a row has in a closed disclosure is passed over. */
function step(by: 1 | -1): void {
  if (document.querySelector(".viewer")) {
    document.querySelector<HTMLElement>(`.viewer a[rel=${by > 0 ? "next" : "prev"}]`)?.click();
    return;
  }
  const rows = [...document.querySelectorAll<HTMLElement>(ROWS)].filter(firstLink);
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? (by > 0 ? 0 : rows.length - 1) : here + by;
  if (rows[next]) firstLink(rows[next])?.focus();
}

function firstLink(row: HTMLElement): HTMLElement | undefined {
  return [...row.querySelectorAll("a")].find((link) => link.checkVisibility());
}
