import { pressed } from "./dom";
import { toast } from "./toast";

/** Copy buttons: the text is in data-copy, or is the `pre` beside the button. */
export function startCopying(): void {
  document.addEventListener("click", async (event) => {
    const button = pressed<HTMLButtonElement>(event, "[data-copy]");
    if (!button) return;
    const text = button.dataset.copy || button.parentElement?.querySelector("pre")?.textContent || "";
    const label = button.querySelector("[data-label]");
    const done = await write(text);
    toast(done ? "Copied" : "The browser did not allow copying");
    if (!done || !label || label.textContent === "Copied") return;
    const before = label.textContent;
    label.textContent = "Copied";
    window.setTimeout(() => {
      label.textContent = before;
    }, 2000);
  });
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard outside a secure context: select the text and ask the old way.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "vh";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
