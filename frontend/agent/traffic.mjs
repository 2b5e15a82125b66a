// The figures of traffic, live (`app/src/written/traffic.rs`): one sample a second, as long as somebody looks.

import { follow, unfollow } from "./page.mjs";

const TOPIC = "live:traffic";
/** Samples come each second; after as many without one the figures are no longer of now. */
const STALE_MS = 3_000;
/** The charts and tables are asked for again this often. */
const REFRESH_MS = 60_000;

let following = false;
/** When a sample came last; 0 before the first. */
let heardAt = 0;
let beganAt = 0;
let refreshedAt = 0;
let look;
let refresh = () => {};

const line = () => document.getElementById("traffic-live");

/** Called whenever a written page is settled: begins on the page of traffic, and ends elsewhere. */
export function watch(again) {
  refresh = again;
  if (!line()) return stop();
  if (following || document.hidden) return;
  heardAt = 0;
  beganAt = refreshedAt = Date.now();
  following = true;
  follow(TOPIC, told);
  look = setInterval(said, 1_000);
}

function stop() {
  if (following) unfollow(TOPIC);
  following = false;
  clearInterval(look);
}

document.addEventListener("visibilitychange", () => {
  if (!line()) return;
  if (document.hidden) stop();
  else watch(refresh);
});

function told(event, payload) {
  if (!line()) return stop();
  if (event === "sample") {
    heardAt = Date.now();
    show(payload);
  }
  said();
}

const written = {
  current_rps: (v) => (v >= 100 ? v.toFixed(0) : v.toFixed(1)),
  ms: (v) => (v === null ? "–" : v >= 10 || v === 0 ? `${v.toFixed(0)} ms` : `${v.toFixed(1)} ms`),
  count: (v) => String(v).replace(/\B(?=(\d{3})+$)/g, ","),
};

function show(sample) {
  for (const e of document.querySelectorAll("[data-figure]")) {
    const name = e.dataset.figure;
    const text = (written[name] ?? (name.endsWith("_ms") ? written.ms : written.count))(sample[name]);
    if (e.textContent !== text) e.textContent = text;
  }
  if (Date.now() - refreshedAt < REFRESH_MS) return;
  // Not under somebody's hands.
  if (document.getElementById("written").querySelector("dialog[open], [data-part] :focus")) return;
  refreshedAt = Date.now();
  refresh();
}

/** How far the figures can be believed. Said when it changes, not each second. */
function said() {
  if (!line()) return stop();
  const fresh = Date.now() - (heardAt || beganAt) < STALE_MS;
  // What the server wrote is as of then, until the first sample.
  if (fresh && !heardAt) return;
  const asOf = new Date(heardAt || Date.parse(line().querySelector("time")?.dateTime ?? "") || beganAt);
  const text = fresh ? "Live, a sample a second." : `Not connected: the figures are as of ${asOf.toLocaleTimeString("en-GB")}.`;
  line().toggleAttribute("data-lost", !fresh);
  if (line().textContent !== text) line().textContent = text;
}
