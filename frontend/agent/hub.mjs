// One socket for all tabs of a browser: Phoenix Channels V2 to the server, and what the browser reports of itself.
//
// Runs as a SharedWorker or, where there is none, in the tab that leads (page.mjs). A hidden page's timers stand
// still, a worker's do not: so this, not the page, beats, judges silence and comes back.
//
// A tab says, with its id                               and hears [topic, event, payload as JSON text], where a
//   {say: "hello", session, report}                     message of no topic is about the connection:
//   {say: "report", report}                               open        joined anew: the tab joins its topics
//   {say: "join", topic, payload}                         heard       a frame came (at most one a second is told)
//   {say: "push", topic, event, payload}                  lost        the connection broke; it tries again
//   {say: "leave", topic}                                 down        an attempt failed; it tries again
//   {say: "wake"}    look at once whether all is well     restarting  the server said that it restarts
//   {say: "bye"}                                          over        the session is over; it does not try again
//                                                         who         the tab is not known (any more): say hello
// Payloads are JSON text, which is passed through as it is.

/** Of our heartbeat. The server's own ping is answered by the browser; this one proves the way back. */
const BEAT_MS = 25_000;
/** A timer that comes later than this was held up, and so may be what it waits for. */
const LATE_MS = 5_000;
/** How long the answer to the heartbeat of somebody who just came back may take. */
const PROBE_MS = 3_000;
/** An attempt to connect that is older than this is given up for a new one. */
const ATTEMPT_MS = 2_000;
/** Without a socket the same is said by POST, so that a network that allows no sockets hides nobody. */
const POST_MS = 60_000;
/** Attempts refused in a row before we ask why. */
const REFUSED_MAX = 2;
/** A tab that goes to another page is back after this. */
const LINGER_MS = 1_000;
const REJOIN_MS = 1_000;
/** A refused join is asked for again, in case rights change. */
const REFUSED_MS = 10_000;

const RESTARTING = 1012;
/** The session ended; it may not connect any more. */
const OVER = [4001, 4003];

/** As the server's limit. */
const TABS_MAX = 99;

const ME = "presence:me";
/** Topics of which each tab has its own: here a join asks a question. Others are joined once for all tabs. */
const OF_EACH = ["live:online"];

/** What a browser says of itself, from what its tabs say: the report of `presence:me`. */
export function merge(reports, now) {
  const newest = (of) => of.reduce((a, b) => (b.input_at > a.input_at ? b : a));
  const visible = reports.filter((r) => r.visible);
  return {
    page: newest(visible.length > 0 ? visible : reports).page,
    visible: visible.length > 0,
    idle_ms: Math.max(0, now - newest(reports).input_at),
    tabs: Math.min(reports.length, TABS_MAX),
  };
}

/** Milliseconds to wait after so many failures; `random` is from 0 to 1. Full jitter: a thousand do not come in step. */
export function backOff(failures, random) {
  return random * Math.min(30_000, 500 * 2 ** failures);
}

export class Hub {
  /** Id → {post, report}. */
  #tabs = new Map();
  /** Name on the wire → {name, members: ids of tabs, joinRef}, of the connection there is. */
  #topics = new Map();
  #session = "";
  #over = false;

  #socket = null;
  #connectedAt = 0;
  #failures = 0;
  #refused = 0;
  #retry = undefined;
  /** Within this many milliseconds the server wants its clients back after a restart. */
  #spread = 0;

  #ref = 0;
  #keys = 0;
  #unanswered = false;
  #beatDue = 0;
  #timers = [];
  #toldAt = 0;

  /** Takes in what tab `id` says; `post` reaches it. */
  hear(id, message, post) {
    const tab = this.#tabs.get(id);
    if (message.say === "hello") this.#hello(id, message, post);
    else if (message.say === "bye") this.drop(id);
    else if (!tab) post(["", "who", ""]);
    else if (message.say === "wake") this.#wake();
    else if (message.say === "join") this.#join(id, message.topic, message.payload);
    else if (message.say === "leave") this.#leave(id, message.topic);
    else if (message.say === "push") this.#push(id, message);
    else if (message.say === "report") {
      tab.report = message.report;
      this.#report();
    }
  }

  /** The tab is gone. */
  drop(id) {
    if (!this.#tabs.has(id)) return;
    for (const { name, members } of [...this.#topics.values()]) if (members.has(id)) this.#leave(id, name);
    this.#tabs.delete(id);
    if (this.#tabs.size === 0) this.stop();
    else setTimeout(() => this.#report(), LINGER_MS);
  }

  /** A tab holds the lock of its name before it says hello and while it lives. Some go without a word. */
  #watch(id) {
    const name = `rollcall tab ${id}`;
    navigator.locks?.request(name, { ifAvailable: true }, (lock) => {
      // After `Clear-Site-Data` pages and an older worker have different locks: they tell nothing then.
      if (!lock) navigator.locks.request(name, () => this.drop(id));
    });
  }

  /** Says goodbye to the server. */
  stop() {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#timers.forEach(clearInterval);
    this.#timers = [];
    this.#disconnect();
  }

  #hello(id, { session, report }, post) {
    // Ids of sessions are in the order of sign-ins. The cookie is of the newest; a page of another one is over.
    if (session < this.#session) return post(["", "over", ""]);
    if (session > this.#session) {
      this.#tell("", "over");
      this.stop();
      this.#tabs.clear();
      this.#session = session;
      this.#over = false;
      this.#failures = this.#refused = 0;
    }
    this.#tabs.set(id, { post, report });
    this.#watch(id);
    if (this.#over) return post(["", "over", ""]);
    post(["", this.#isOpen() ? "open" : "lost", ""]);
    if (this.#isOpen()) this.#report();
    else this.#wake();
    if (this.#timers.length === 0) {
      this.#beatDue = Date.now() + BEAT_MS;
      this.#timers = [setInterval(() => this.#beat(), BEAT_MS), setInterval(() => this.#post(), POST_MS)];
    }
  }

  // The connection.

  #isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #connect() {
    this.#disconnect();
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#connectedAt = Date.now();
    const url = new URL("/socket/websocket?vsn=2.0.0", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      this.#joinMe();
      this.#tell("", "open");
    };
    socket.onmessage = (e) => this.#received(e.data);
    socket.onclose = (e) => this.#closed(e.code, wasOpen);
    this.#socket = socket;
  }

  #disconnect() {
    const socket = this.#socket;
    this.#socket = null;
    this.#topics.clear();
    this.#unanswered = false;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #closed(code, wasOpen) {
    this.#disconnect();
    if (OVER.includes(code)) return this.#finish();
    this.#tell("", code === RESTARTING ? "restarting" : wasOpen ? "lost" : "down");
    // Refused again: is it the network, or does the server not know this session any more?
    this.#refused = wasOpen ? 0 : this.#refused + 1;
    if (this.#refused === REFUSED_MAX) this.#post();
    const told = code === RESTARTING && this.#spread > 0;
    const wait = told ? Math.random() * this.#spread : backOff(this.#failures++, Math.random());
    this.#retry = setTimeout(() => this.#connect(), wait);
  }

  /** For good, as far as this session goes. */
  #finish() {
    this.#over = true;
    this.stop();
    this.#tell("", "over");
  }

  /** Somebody looks, or the network is back: connects at once, or finds out at once whether we still are. */
  #wake() {
    if (this.#over) return;
    if (this.#isOpen()) {
      this.#toldAt = 0;
      this.#heartbeat();
      const probed = this.#socket;
      setTimeout(() => this.#unanswered && this.#socket === probed && this.#closed(1006, true), PROBE_MS);
    } else if (!this.#socket || Date.now() - this.#connectedAt > ATTEMPT_MS) {
      this.#failures = 0;
      this.#connect();
    }
  }

  #beat() {
    const wasHeldUp = Date.now() - this.#beatDue > LATE_MS;
    this.#beatDue = Date.now() + BEAT_MS;
    if (this.#isOpen() && (!this.#unanswered || wasHeldUp)) this.#heartbeat();
    else if (this.#isOpen()) this.#closed(1006, true);
    else if (this.#socket && Date.now() - this.#connectedAt > BEAT_MS) this.#closed(1006, false);
  }

  #heartbeat() {
    this.#unanswered = true;
    this.#send(null, "phoenix", "heartbeat", "{}");
  }

  /** A sign of life without a socket. It also tells a lost network from a session that is over. */
  async #post() {
    if (this.#isOpen() || this.#over || this.#tabs.size === 0) return;
    const session = this.#session;
    const headers = { "content-type": "application/json" };
    const answer = await fetch("/api/v1/heartbeat", { method: "POST", headers, body: this.#merged() }).catch(() => null);
    if (session !== this.#session) return;
    if (answer?.status === 401) this.#finish();
    else if (answer?.ok) this.#tell(ME, "session", await answer.text());
  }

  // The channels.

  #joinMe() {
    const joinRef = this.#send(undefined, ME, "phx_join", this.#merged());
    this.#topics.set(ME, { name: ME, members: this.#tabs, joinRef });
  }

  #merged() {
    return JSON.stringify(merge([...this.#tabs.values()].map((tab) => tab.report), Date.now()));
  }

  #report() {
    if (this.#topics.has(ME) && this.#tabs.size > 0) this.#send(this.#topics.get(ME).joinRef, ME, "meta", this.#merged());
  }

  /** The topic `name` of a tab, as [name on the wire, topic]. */
  #of(id, name) {
    return [...this.#topics].find(([, t]) => t.name === name && t.members.has(id)) ?? [];
  }

  /** Joins, or joins again. Without a connection nothing is lost: the tab joins when it hears "open". */
  #join(id, name, payload) {
    if (!this.#isOpen() || name === ME) return;
    let [wire, topic] = this.#of(id, name);
    wire ??= OF_EACH.includes(name) && this.#topics.has(name) ? `${name}:${(++this.#keys).toString(36)}` : name;
    topic ??= this.#topics.get(wire) ?? { name, members: new Set() };
    topic.members.add(id);
    this.#topics.set(wire, topic);
    topic.joinRef = this.#send(undefined, wire, "phx_join", payload);
  }

  #leave(id, name) {
    const [wire, topic] = this.#of(id, name);
    if (!topic || name === ME) return;
    topic.members.delete(id);
    if (topic.members.size > 0) return;
    this.#send(topic.joinRef, wire, "phx_leave", "{}");
    this.#topics.delete(wire);
  }

  #push(id, { topic: name, event, payload }) {
    const [wire, topic] = this.#of(id, name);
    if (topic) this.#send(topic.joinRef, wire, event, payload);
  }

  /** Sends a frame and gives its reference; without a `joinRef` that is the join's. */
  #send(joinRef, wire, event, payload) {
    const ref = String(++this.#ref);
    const head = JSON.stringify([joinRef === undefined ? ref : joinRef, ref, wire, event]);
    if (this.#isOpen()) this.#socket.send(`${head.slice(0, -1)},${payload}]`);
    return ref;
  }

  #received(text) {
    this.#unanswered = false;
    if (Date.now() - this.#toldAt >= 1_000) {
      this.#toldAt = Date.now();
      this.#tell("", "heard");
    }
    const [joinRef, ref, wire, event, payload] = JSON.parse(text);
    const topic = this.#topics.get(wire);
    // Of a topic that was left, or of a join that has been replaced.
    if (!topic || (joinRef !== null && joinRef !== topic.joinRef)) return;
    if (event === "phx_error" || event === "phx_close") this.#rejoin(wire, topic, REJOIN_MS);
    else if (event !== "phx_reply") this.#deliver(topic, event, payload);
    else if (payload.status === "ok") {
      if (wire === ME && ref === joinRef) this.#joined(payload.response);
      this.#deliver(topic, event, payload.response);
    } else if (ref === joinRef) this.#rejoin(wire, topic, REFUSED_MS);
    if (wire === ME && event === "ended") this.#finish();
  }

  #joined(response) {
    this.#failures = 0;
    this.#spread = response.retry_within_ms ?? 0;
  }

  #rejoin(wire, topic, wait) {
    setTimeout(() => {
      if (this.#topics.get(wire) !== topic) return;
      if (wire === ME) this.#joinMe();
      else this.#deliver(topic, "rejoin", {});
    }, wait);
  }

  #deliver({ name, members }, event, payload) {
    const text = JSON.stringify(payload);
    for (const id of members.keys()) this.#tabs.get(id)?.post([name, event, text]);
  }

  #tell(topic, event, payload = "") {
    for (const { post } of this.#tabs.values()) post([topic, event, payload]);
  }
}

if ("SharedWorkerGlobalScope" in globalThis) {
  const hub = new Hub();
  globalThis.onconnect = ({ ports: [port] }) => {
    let id = "";
    port.onmessage = ({ data }) => {
      id = data.id;
      hub.hear(id, data, (message) => port.postMessage(message));
    };
    // Where locks are missing (a page without TLS) this is how a tab that vanished is noticed.
    port.onclose = () => hub.drop(id);
  };
}
