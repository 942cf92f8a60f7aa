/** Where tabs, or the rail, are wider than the screen, bring the current one into view. */
export function showTabs(): void {
  for (const current of document.querySelectorAll<HTMLElement>(
    ".tabs [aria-current], .rail [aria-current]",
  )) {
    const bar = current.closest<HTMLElement>(".tabs, .rail ul, .rail");
    if (!bar) continue;
    const beyond = current.getBoundingClientRect().right - bar.getBoundingClientRect().right;
    if (beyond > 0) bar.scrollLeft += beyond;
  }
}
