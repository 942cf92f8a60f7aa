/** A field that leaves only those rows of a table whose label has its text in it. Nothing is unticked. */
export function startFilters(): void {
  document.addEventListener("input", (event) => {
    const field = filter(event);
    if (field) show(field);
  });
  // The field belongs to no form: it neither sends one nor counts as a change of it.
  document.addEventListener("change", (event) => filter(event) && event.stopImmediatePropagation(), true);
  document.addEventListener("keydown", (event) => {
    const field = filter(event);
    if (!field) return;
    if (event.key === "Enter") event.preventDefault();
    if (event.key === "Escape" && field.value) {
      field.value = "";
      show(field);
    }
  });
}

function filter(event: Event): HTMLInputElement | null {
  const field = event.target;
  return field instanceof HTMLInputElement && field.dataset.filter ? field : null;
}

function show(field: HTMLInputElement): void {
  const wanted = field.value.trim().toLowerCase();
  const rows = [...document.querySelectorAll<HTMLElement>(`${field.dataset.filter} tbody tr`)];
  for (const row of rows) {
    const label = row.querySelector("label")?.textContent ?? "";
    row.hidden = !label.toLowerCase().includes(wanted);
  }
  const shown = rows.filter((row) => !row.hidden).length;
  const line = document.getElementById(`${field.id}-shown`);
  if (line) line.textContent = wanted ? `${shown} of ${rows.length} ${field.dataset.noun}` : "";
}
