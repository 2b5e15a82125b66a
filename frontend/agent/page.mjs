// The page's side of the agent: what its reader does, and the way to the hub (hub.mjs), which holds the browser's one
// socket. The hub is a SharedWorker or, where there is none, in the tab that leads: the one that holds a Web Lock.
//
// Input is what a person does: keys, pointer, touch, wheel, a navigation. Events made by scripts do not count, nor
// does a pointer the page moved under.

/** What somebody who is not active does is reported at once, but not for every pixel. */
const INPUT_GAP_MS = 1_000;
/** A leading tab that says nothing for longer is frozen or held up: it speaks after each beat and each attempt. */
const QUIET_MS = 45_000;
/** So is one that does not answer a hello within this. */
const WATCH_MS = 5_000;
/** As the server's limit. */
const PAGE_MAX = 512;

import { bell } from "./bell.mjs";
import { presences } from "./presences.mjs";

const HUB = new URL("hub.mjs", import.meta.url).href;
const LEADER = `rollcall leader ${HUB}`;

const report = { page: "", visible: true, input_at: 0 };
let session = "";
/** While input goes on it is reported this often; the first one after as long a pause at once. */
let every = 0;
let listener = () => {};

/** This page's name to the hub, a new one whenever it enters. */
let id = "";
let send = () => {};
/** Undoes what `enter` did. */
let undo = [];

let isActive = true;
/** When the hub said something last; 0 since `enter`. */
let heardAt = 0;
let toldAt = 0;
let trailing = 0;
let pointer = "";

/** Begins to report and to listen: `heard` gets every message of the hub as topic, event and payload. */
export function connect(ofSession, page, inputEvery, heard) {
  session = ofSession;
  every = inputEvery;
  listener = heard;
  Object.assign(report, { page: page.slice(0, PAGE_MAX), visible: isVisible(), input_at: Date.now() });
  listen();
  enter();
  seen(report.page);
  bell(follow);
}

/** The reader went to another page of ours. */
export function visit(page) {
  // On a phone the way here may have led over the sheet behind "More".
  document.querySelector("#more:popover-open")?.hidePopover();
  report.page = page.slice(0, PAGE_MAX);
  input(true);
  seen(report.page);
}

/** Tells that a page was opened, once somebody sees it; never what it asks for by itself. */
function seen(page) {
  if (!isVisible()) return addEventListener("visibilitychange", () => seen(page), { once: true });
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ page });
  fetch("/api/v1/track/page", { method: "POST", headers, body, keepalive: true }).catch(() => {});
}

export function join(topic, payload) {
  if (topic.startsWith("people:") && !followed.has(topic)) followed.set(topic, presences());
  say({ say: "join", topic, payload });
}
/** What other scripts of ours listen to: topic → what hears its events and payloads. */
const scripts = new Map();

/** Joins a topic for a script, now and after every reconnection. */
export function follow(topic, heard) {
  scripts.set(topic, heard);
  join(topic, "{}");
}

export function unfollow(topic) {
  if (scripts.delete(topic)) leave(topic);
}

export const push = (topic, event, payload) => say({ say: "push", topic, event, payload });
export const leave = (topic) => say({ say: "leave", topic });
export const wake = () => say({ say: "wake" });

const isVisible = () => document.visibilityState === "visible";
const say = (message) => send({ id, ...message });

function tell() {
  toldAt = Date.now();
  say({ say: "report", report });
}

function input(atOnce) {
  const now = Date.now();
  const paused = now - report.input_at >= every;
  const gap = isActive && !paused ? every : Math.min(INPUT_GAP_MS, every);
  report.input_at = now;
  if (atOnce || now - toldAt >= gap) tell();
  else trailing ||= setTimeout(() => ((trailing = 0), tell()), gap - (now - toldAt));
}

function listen() {
  const options = { capture: true, passive: true };
  for (const name of ["keydown", "pointerdown", "wheel", "touchstart"]) {
    addEventListener(name, (e) => e.isTrusted && input(false), options);
  }
  const moved = (e) => {
    const at = `${e.screenX} ${e.screenY}`;
    if (e.isTrusted && at !== pointer) input(false);
    pointer = at;
  };
  addEventListener("pointermove", moved, options);
  addEventListener("visibilitychange", () => {
    report.visible = isVisible();
    tell();
    if (report.visible) wake();
  });
  addEventListener("offline", () => listener("", "offline", ""));
  addEventListener("online", () => {
    listener("", "online", "");
    wake();
  });
  if (!navigator.onLine) listener("", "offline", "");
  // A page in the back/forward cache is nobody's. It enters anew when it is taken out.
  addEventListener("pagehide", () => {
    say({ say: "bye" });
    send = () => {};
    undo.splice(0).forEach((f) => f());
  });
  addEventListener("pageshow", (e) => e.persisted && enter());
}

function received([topic, event, payload]) {
  heardAt = Date.now();
  const state = topic === "presence:me" && /"state":"(\w+)"/.exec(payload)?.[1];
  if (state) isActive = state === "active" || state === "busy";
  if (event === "who") return hello();
  if (topic === "" && event === "open") for (const name of scripts.keys()) join(name, "{}");
  const script = scripts.get(topic);
  if (script) return event === "rejoin" ? join(topic, "{}") : script(event, JSON.parse(payload));
  const people = event.startsWith("presence_") && followed.get(topic)?.(event, JSON.parse(payload));
  if (people) return listener(topic, "people", JSON.stringify(people));
  listener(topic, event, payload);
}

/** Topics of colleagues, of which the page is told who is here. */
const followed = new Map();

const hello = () => say({ say: "hello", session, report });

/** Finds the way to the hub and says hello, holding the lock by which the hub sees that this page lives. */
function enter() {
  id = Math.random().toString(36).slice(2);
  heardAt = 0;
  report.visible = isVisible();
  hold(`rollcall tab ${id}`, {}, () => {
    if ("SharedWorker" in globalThis) byWorker();
    else byLeader();
    hello();
  });
}

/** Holds a lock until this page is left or the lock is taken by force; without locks everybody is alone. */
function hold(name, options, held) {
  let left = false;
  let release = () => {};
  undo.push(() => ((left = true), release()));
  if (!navigator.locks) return void held();
  return navigator.locks.request(name, options, () => {
    if (left) return;
    held();
    return new Promise((resolve) => (release = resolve));
  });
}

function byWorker() {
  // Chromium freezes a worker whose last page goes into the back/forward cache, mostly before it has heard the
  // goodbye, and goes on answering the server's pings in its name: somebody who left would seem to be here. It keeps
  // no page of ours that was itself answered with `no-store`, as the server says of all it answers.
  fetch("/health/live", { method: "HEAD" }).catch(() => {});
  const worker = new SharedWorker(HUB, { type: "module", name: "rollcall" });
  worker.port.onmessage = ({ data }) => received(data);
  send = (message) => worker.port.postMessage(message);
  undo.push(() => (worker.port.onmessage = null));
  // A browser that has such workers, but not of modules.
  worker.onerror = () => {
    if (heardAt > 0) return;
    byLeader();
    hello();
  };
}

function byLeader() {
  // Without locks nobody can lead others.
  const name = navigator.locks ? LEADER : LEADER + id;
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => {
    if (data.to === id) received(data.message);
    else if (data.to === "all") hello();
  };
  send = (message) => channel.postMessage(message);
  let leading = false;
  const stand = (options) => {
    let end = () => {};
    const lead = async () => {
      leading = true;
      let ended = false;
      undo.push((end = () => (ended = true)));
      const { Hub } = await import(HUB);
      if (ended) return;
      const hub = new Hub();
      const all = new BroadcastChannel(name);
      all.onmessage = ({ data }) => {
        if (data.say) hub.hear(data.id, data, (message) => all.postMessage({ to: data.id, message }));
      };
      all.postMessage({ to: "all" });
      undo.push((end = () => (hub.stop(), all.close())));
    };
    hold(LEADER, options, lead)?.catch(() => {
      if (!leading) return;
      // Taken by force by a tab that somebody looks at.
      leading = false;
      end();
      stand({});
    });
  };
  stand({});
  const watch = setInterval(() => {
    const quiet = heardAt === 0 || Date.now() - heardAt > QUIET_MS;
    // Only for somebody who looks: a page nobody sees may wait.
    if (quiet && !leading && isVisible() && navigator.locks) stand({ steal: true });
  }, WATCH_MS);
  undo.push(() => (clearInterval(watch), channel.close()));
}
