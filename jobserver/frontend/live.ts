import htmx from "htmx.org";
import { Idiomorph } from "idiomorph/htmx";
import { pressed } from "./dom";

/**
 * Live regions: `[data-live]` asks for itself every few seconds (the server sets the interval and leaves
 * the trigger out when there is nothing more to come). Here is what the server cannot know: whether
 * anybody looks, whether Pause is pressed, and how long nothing has been heard.
 */
const LONGEST = 120;

let paused = false;
let failures = 0;
let askAgainAt = 0;
let heard = Date.now();

type RequestDetail = { elt: HTMLElement; successful: boolean };

export function startLive(): void {
  Object.assign(htmx.config, {
    includeIndicatorStyles: false,
    allowEval: false,
    selfRequestsOnly: true,
    historyCacheSize: 0,
    timeout: 20_000,
  });
  // What the reader has opened stays open, whatever the server thinks.
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name) => name !== "open";
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isLive(event) && (paused || document.hidden || Date.now() < askAgainAt)) event.preventDefault();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (isLive(event)) settle((event as CustomEvent<RequestDetail>).detail.successful);
  });
  document.addEventListener("htmx:afterSettle", show);
  document.addEventListener("click", (event) => {
    if (!pressed(event, "[data-pause]")) return;
    paused = !paused;
    show();
    if (!paused) ask();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !paused) ask();
  });
  if (document.querySelector("[data-live]")) {
    show();
    window.setInterval(show, 1000);
  }
}

function isLive(event: Event): boolean {
  return (event as CustomEvent<RequestDetail>).detail.elt.matches("[data-live]");
}

function ask(): void {
  askAgainAt = 0;
  for (const region of document.querySelectorAll("[data-live][hx-trigger]")) htmx.trigger(region, "ask");
}

/** Each failure in a row doubles the interval, up to two minutes. */
function settle(successful: boolean): void {
  failures = successful ? 0 : failures + 1;
  if (successful) heard = Date.now();
  const seconds = Number(document.querySelector<HTMLElement>("[data-live]")?.dataset.live) || 10;
  // Half a second early, so that the regular tick at that moment is let through.
  askAgainAt = failures ? Date.now() + Math.min(LONGEST, seconds * 2 ** failures) * 1000 - 500 : 0;
  show();
}

/** The line beside the bar: how fresh it is, and the Pause button's label. */
function show(): void {
  const running = document.querySelector("[data-live][hx-trigger]") !== null;
  for (const line of document.querySelectorAll<HTMLElement>("[data-live-line]")) {
    const text = line.querySelector("[data-live-text]");
    const label = line.querySelector("[data-pause] [data-label]");
    line.classList.toggle("held", paused || failures > 0);
    if (label) label.textContent = paused ? "Continue" : "Pause";
    if (text && running) text.textContent = words();
  }
}

function words(): string {
  const clock = new Date(heard).toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    timeZone: "Europe/London",
  });
  if (paused) return `Paused, as of ${clock}`;
  if (failures) return `No news since ${clock}`;
  const seconds = Math.round((Date.now() - heard) / 1000);
  return seconds < 60 ? `Updated ${seconds} s ago` : `Updated at ${clock}`;
}
