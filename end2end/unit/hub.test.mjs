// The rules of the browser's one socket (frontend/agent/hub.mjs), with a socket and a clock of ours.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Hub, backOff, merge } from "../../frontend/agent/hub.mjs";

/** Sockets made so far; a test plays the server. */
let sockets = [];

class FakeSocket {
  static OPEN = 1;
  readyState = 0;
  sent = [];
  constructor(url) {
    this.url = String(url);
    sockets.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  open() {
    this.readyState = 1;
    this.onopen();
  }
  lose(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
  say(...frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }
  /** The last frame of this event, as {joinRef, ref, topic, payload}. */
  last(event) {
    const frame = this.sent.findLast((f) => f[3] === event);
    return frame && { joinRef: frame[0], ref: frame[1], topic: frame[2], payload: frame[4] };
  }
  /** Answers the last join of a topic. */
  accept(topic, response = {}) {
    const [joinRef] = this.sent.findLast((f) => f[3] === "phx_join" && f[2] === topic);
    this.say(joinRef, joinRef, topic, "phx_reply", { status: "ok", response });
    return joinRef;
  }
}

const socket = () => sockets.at(-1);

beforeEach(() => {
  sockets = [];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
  mock.method(Math, "random", () => 1);
  globalThis.WebSocket = FakeSocket;
  globalThis.location = new URL("https://rollcall.example/pkg/x/agent/hub.mjs");
  // Newer versions of Node have one, with locks.
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  globalThis.fetch = async () => ({ status: 200, ok: true, text: async () => "{}" });
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

/** A tab of a hub; `heard` is what it was told. */
class FakeTab {
  heard = [];
  constructor(hub, id, report = {}, session = "s1") {
    this.hub = hub;
    this.id = id;
    this.say("hello", { session, report: { page: `/${id}`, visible: true, input_at: Date.now(), ...report } });
  }
  say(say, more = {}) {
    this.hub.hear(this.id, { say, ...more }, (message) => this.heard.push(message));
  }
  /** Of the connection. */
  links() {
    return this.heard.filter(([topic, event]) => topic === "" && event !== "heard").map(([, event]) => event);
  }
}

test("a browser is what its tabs are together", () => {
  const at = (page, visible, input_at) => ({ page, visible, input_at });
  const merged = (...reports) => Object.values(merge(reports, 1_000));
  assert.deepEqual(merged(at("/a", true, 400)), ["/a", true, 600, 1]);
  // The page in view, though the last input was in one that is hidden now; and that input counts.
  assert.deepEqual(merged(at("/a", false, 900), at("/b", true, 400)), ["/b", true, 100, 2]);
  assert.deepEqual(merged(at("/a", true, 300), at("/b", true, 400), at("/c", true, 200)), ["/b", true, 600, 3]);
  assert.deepEqual(merged(at("/a", false, 300), at("/b", false, 200)), ["/a", false, 700, 2]);
  assert.equal(merge(Array(120).fill(at("/a", true, 1)), 2).tabs, 99);
  // A clock that was set back makes nobody's input one of the future.
  assert.deepEqual(merged(at("/a", true, 1_500)), ["/a", true, 0, 1]);
});

test("one waits longer after each failure, at most half a minute, and not in step", () => {
  assert.deepEqual([0, 1, 2, 5, 6, 60].map((n) => backOff(n, 1)), [500, 1_000, 2_000, 16_000, 30_000, 30_000]);
  assert.equal(backOff(3, 0), 0);
  assert.equal(backOff(3, 0.5), 2_000);
});

test("any number of tabs have one socket, which ends with the last of them", () => {
  const hub = new Hub();
  const [first, second] = [new FakeTab(hub, "a"), new FakeTab(hub, "b", { visible: false })];
  assert.equal(socket().url, "wss://rollcall.example/socket/websocket?vsn=2.0.0");
  socket().open();
  assert.deepEqual(socket().last("phx_join").payload, { page: "/a", visible: true, idle_ms: 0, tabs: 2 });
  assert.deepEqual([first.links(), second.links()], [["lost", "open"], ["lost", "open"]]);
  const third = new FakeTab(hub, "c");
  assert.deepEqual(third.links(), ["open"]);
  assert.equal(socket().last("meta").payload.tabs, 3);

  third.say("bye");
  hub.drop("c");
  first.say("bye");
  mock.timers.tick(1_000);
  assert.deepEqual(socket().last("meta").payload, { page: "/b", visible: false, idle_ms: 1_000, tabs: 1 });
  second.say("bye");
  assert.equal(socket().readyState, 3);
  mock.timers.tick(600_000);
  assert.equal(sockets.length, 1);
});

test("each tab has its own live query, and all share the other topics", () => {
  const hub = new Hub();
  const tabs = [new FakeTab(hub, "a"), new FakeTab(hub, "b")];
  socket().open();
  for (const topic of ["live:online", "live:activity"]) {
    for (const tab of tabs) tab.say("join", { topic, payload: `{"limit":${tabs.indexOf(tab)}}` });
  }
  const joined = socket().sent.filter((f) => f[3] === "phx_join").map((f) => f[2]);
  assert.deepEqual(joined, ["presence:me", "live:online", "live:online:1", "live:activity", "live:activity"]);
  assert.match("live:online:1", /^live:online:[a-z0-9]{1,16}$/);

  socket().say(null, null, "live:online:1", "patch", { seq: 2 });
  socket().say(null, null, "live:activity", "event", { kind: "login" });
  const of = (tab) => tab.heard.filter(([topic]) => topic !== "");
  assert.deepEqual(of(tabs[0]), [["live:activity", "event", '{"kind":"login"}']]);
  assert.deepEqual(of(tabs[1]), [["live:online", "patch", '{"seq":2}'], ["live:activity", "event", '{"kind":"login"}']]);

  tabs[1].say("push", { topic: "live:online", event: "query", payload: '{"limit":7}' });
  const joinRef = socket().sent.find((f) => f[2] === "live:online:1")[0];
  assert.deepEqual(socket().sent.at(-1).toSpliced(1, 1), [joinRef, "live:online:1", "query", { limit: 7 }]);
  tabs[1].say("bye");
  const left = socket().sent.filter((f) => f[3] === "phx_leave").map((f) => f[2]);
  assert.deepEqual(left, ["live:online:1"]);
});

test("a frame of a join that was replaced is nobody's, and a broken channel is joined again", () => {
  const hub = new Hub();
  const tab = new FakeTab(hub, "a");
  socket().open();
  const old = socket().accept("presence:me");
  tab.say("join", { topic: "live:online", payload: "{}" });
  const first = socket().accept("live:online");
  tab.say("join", { topic: "live:online", payload: "{}" });
  tab.heard = [];
  socket().say(first, null, "live:online", "snapshot", {});
  socket().say(first, first, "live:online", "phx_close", {});
  assert.deepEqual(tab.heard, []);

  socket().say(socket().accept("live:online"), null, "live:online", "phx_error", {});
  socket().say(old, null, "presence:me", "phx_error", {});
  mock.timers.tick(1_000);
  assert.deepEqual(tab.heard.at(-1).slice(0, 2), ["live:online", "rejoin"]);
  assert.equal(socket().last("phx_join").topic, "presence:me");
  assert.notEqual(socket().last("phx_join").ref, old);
});

test("a lost connection comes back: later after each failure, at once when somebody looks", () => {
  const hub = new Hub();
  const tab = new FakeTab(hub, "a");
  socket().open();
  socket().accept("presence:me");
  socket().lose();
  for (const [n, wait] of [500, 1_000, 2_000].entries()) {
    mock.timers.tick(wait - 1);
    assert.equal(sockets.length, n + 1);
    mock.timers.tick(1);
    assert.equal(sockets.length, n + 2);
    socket().lose();
  }
  assert.deepEqual(tab.links(), ["lost", "open", "lost", "down", "down", "down"]);
  tab.say("wake");
  assert.equal(sockets.length, 5);
  // Five tabs that wake at once do not connect five times.
  tab.say("wake");
  assert.equal(sockets.length, 5);
  mock.timers.tick(10_000);
  socket().open();
  assert.equal(tab.links().at(-1), "open");
  // What is reported then is as old as it is by then.
  assert.equal(socket().last("phx_join").payload.idle_ms, 13_500);
});

test("after a restart one comes back within the time the server wants", () => {
  const hub = new Hub();
  const tab = new FakeTab(hub, "a");
  socket().open();
  socket().accept("presence:me", { state: "active", retry_within_ms: 8_000 });
  socket().lose(1012);
  assert.equal(tab.links().at(-1), "restarting");
  mock.timers.tick(7_999);
  assert.equal(sockets.length, 1);
  mock.timers.tick(1);
  assert.equal(sockets.length, 2);
  // Not there yet: from then on as always.
  socket().lose();
  mock.timers.tick(500);
  assert.equal(sockets.length, 3);
});

test("a beat without an answer ends the connection, unless the timer itself was held up", () => {
  const hub = new Hub();
  const tab = new FakeTab(hub, "a");
  socket().open();
  mock.timers.tick(25_000);
  const { ref } = socket().last("heartbeat");
  socket().say(null, ref, "phoenix", "phx_reply", { status: "ok", response: {} });
  mock.timers.tick(25_000);
  assert.equal(socket().sent.filter((f) => f[3] === "heartbeat").length, 2);
  mock.timers.tick(25_000);
  assert.deepEqual(tab.links(), ["lost", "open", "lost"]);

  mock.timers.tick(500);
  socket().open();
  mock.timers.tick(25_000);
  const slept = Date.now() + 3_600_000;
  mock.method(Date, "now", () => slept);
  mock.timers.tick(25_000);
  assert.equal(tab.links().at(-1), "open");
});

test("who comes back finds out soon whether the connection is still good", () => {
  const hub = new Hub();
  const tab = new FakeTab(hub, "a");
  socket().open();
  tab.say("wake");
  socket().say(null, socket().last("heartbeat").ref, "phoenix", "phx_reply", { status: "ok", response: {} });
  assert.deepEqual(tab.heard.at(-1), ["", "heard", ""]);
  mock.timers.tick(3_000);
  assert.equal(sockets.length, 1);
  tab.say("wake");
  mock.timers.tick(3_000);
  assert.equal(tab.links().at(-1), "lost");
});

test("a session that is over stays over; the next one begins anew, and pages of the old one are over", () => {
  const hub = new Hub();
  const old = new FakeTab(hub, "a");
  socket().open();
  const joinRef = socket().accept("presence:me");
  socket().say(joinRef, null, "presence:me", "ended", { reason: "revoked" });
  assert.deepEqual(old.heard.slice(-2), [["presence:me", "ended", '{"reason":"revoked"}'], ["", "over", ""]]);
  old.say("wake");
  mock.timers.tick(600_000);
  assert.equal(sockets.length, 1);

  const fresh = new FakeTab(hub, "b", {}, "s2");
  assert.equal(sockets.length, 2);
  socket().open();
  assert.equal(fresh.links().at(-1), "open");
  assert.equal(socket().last("phx_join").payload.tabs, 1);
  // From the back/forward cache.
  assert.deepEqual(new FakeTab(hub, "c").links(), ["over"]);
  assert.equal(sockets.length, 2);
  for (const code of [4001, 4003]) {
    const next = new FakeTab(hub, `d${code}`, {}, `s${code}`);
    socket().open();
    socket().lose(code);
    assert.equal(next.links().at(-1), "over");
  }
});

test("where no socket is to be had the same is said by POST, which also tells a session that is over", async () => {
  const posted = [];
  let status = 200;
  globalThis.fetch = async (path, { body }) => {
    posted.push([path, JSON.parse(body)]);
    return { status, ok: status === 200, text: async () => '{"state":"idle"}' };
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const hub = new Hub();
  const tab = new FakeTab(hub, "a");
  socket().lose();
  mock.timers.tick(500);
  assert.equal(posted.length, 0);
  socket().lose();
  await settled();
  assert.deepEqual(posted, [["/api/v1/heartbeat", { page: "/a", visible: true, idle_ms: 500, tabs: 1 }]]);
  assert.deepEqual(tab.heard.at(-1), ["presence:me", "session", '{"state":"idle"}']);
  status = 401;
  mock.timers.tick(60_000);
  await settled();
  assert.equal(posted.length, 2);
  assert.equal(tab.links().at(-1), "over");
});

test("a tab that was forgotten is asked for its name", () => {
  const tab = new FakeTab(new Hub(), "a");
  tab.say("bye");
  tab.say("wake");
  assert.equal(tab.links().at(-1), "who");
});
