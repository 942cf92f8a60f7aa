/**
 * The tree of files beside the file that is open: arrow keys, the current line in sight, the focus kept
 * from page to page, and the file on the whole screen. Links and the search work without any of it.
 */
const LINES = ".tree summary, .tree a";
const KEPT = "focus in the tree of files";

export function startViewer(): void {
  const tree = document.getElementById("tree");
  showCurrent(tree);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const here = event.target;
    if (!(here instanceof HTMLElement)) return;
    if (here.id === "find-file" ? event.key === "ArrowDown" && focus(lines()[0]) : moved(here, event.key)) {
      event.preventDefault();
    }
  });
  tree?.addEventListener("click", (event) => {
    // Chosen by a key: the next page goes on in the tree.
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link && event.detail === 0) sessionStorage.setItem(KEPT, "yes");
  });
  tree?.addEventListener("htmx:load", (event) => {
    // A folder was opened in its place.
    if (event.target instanceof HTMLLIElement) event.target.querySelector("summary")?.focus();
  });
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-full-screen]") : null;
    if (button instanceof HTMLElement) fill(button.dataset.fullScreen ?? "");
  });
}

/** Bring the line of the open file into sight, within the tree alone. */
function showCurrent(tree: HTMLElement | null): void {
  const line = tree?.querySelector<HTMLElement>("[aria-current]");
  const kept = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  if (!tree || !line) return;
  const { top, bottom } = tree.getBoundingClientRect();
  const height = Math.min(bottom, window.innerHeight) - top;
  const above = line.getBoundingClientRect().top - top;
  if (above < 0 || above > height - 40) tree.scrollTop += above - height / 3;
  if (kept) line.focus({ preventScroll: true });
}

function lines(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(LINES)].filter((line) => line.checkVisibility());
}

function focus(line: HTMLElement | null | undefined): boolean {
  line?.focus();
  return Boolean(line);
}

/** What an arrow does to the line that has the focus; false if it does nothing. */
function moved(line: HTMLElement, key: string): boolean {
  if (!line.matches(LINES)) return false;
  const folder = line.matches("summary") ? (line.parentElement as HTMLDetailsElement) : null;
  const every = lines();
  const here = every.indexOf(line);
  if (key === "ArrowDown") return focus(every[here + 1]);
  if (key === "ArrowUp") return focus(every[here - 1] ?? document.getElementById("find-file"));
  if (key === "Home") return focus(every[0]);
  if (key === "End") return focus(every.at(-1));
  if (key === "ArrowRight") {
    if (folder?.open) return focus(every[here + 1]);
    if (folder) folder.open = true;
    else if (line.matches("[hx-get]")) line.click();
    return true;
  }
  if (key === "ArrowLeft") {
    if (folder?.open) folder.open = false;
    else focus((folder ?? line).parentElement?.closest("details")?.querySelector("summary"));
    return true;
  }
  return false;
}

/** The element on the whole screen, or back in its place. */
function fill(id: string): void {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.getElementById(id)?.requestFullscreen();
}
