// People without a browser: a client of the REST calls and of the socket, as another program would write it.

import { expect } from "@playwright/test";
import WebSocket from "ws";
import type { Person } from "./roster";
import type { Rollcall } from "./server";
import { within } from "./within";

/** What a client says of its person. */
export interface Report {
  page?: string;
  visible?: boolean;
  idle_ms?: number;
}

/** A row of `GET /admin/users/online`, as far as tests read it. */
export interface OnlineRow {
  id: string;
  username: string;
  name: string;
  state: string;
  page: string | null;
  devices: { session_id: string; visible: boolean }[];
}

export interface OnlinePage {
  counts: { online: number; by_state: Record<string, number> };
  total: number;
  users: OnlineRow[];
}

export class ApiPerson {
  private constructor(
    readonly person: Person,
    readonly url: string,
    /** The value of the Cookie header. */
    readonly cookie: string,
    readonly id: string,
    readonly userAgent: string,
  ) {}

  static async signIn(server: Rollcall, person: Person, userAgent = "node"): Promise<ApiPerson> {
    const { username, password } = person;
    const answer = await fetch(`${server.url}/api/v1/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": userAgent },
      body: JSON.stringify({ username, password }),
    });
    const body = await answer.text();
    if (answer.status !== 200) throw new Error(`sign-in of ${username}: ${answer.status} ${body}`);
    const cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const { user } = JSON.parse(body) as { user: { id: string } };
    return new ApiPerson(person, server.url, cookie, user.id, userAgent);
  }

  async call(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { cookie: this.cookie, "user-agent": this.userAgent };
    if (body !== undefined) headers["content-type"] = "application/json";
    return fetch(`${this.url}/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
  }

  /** A sign of life without a socket. */
  async beat(report: Report): Promise<void> {
    await ok(await this.call("POST", "/heartbeat", report));
  }

  async choose(choice: string, message?: string): Promise<void> {
    await ok(await this.call("PUT", "/presence/me", { choice, message }));
  }

  /** Everybody online, for administrators and managers. */
  async online(query = "?limit=200"): Promise<OnlinePage> {
    const answer = await ok(await this.call("GET", `/admin/users/online${query}`));
    return (await answer.json()) as OnlinePage;
  }

  /** Whether the session is good. Does not count as anything the person did. */
  async isSignedIn(): Promise<boolean> {
    return (await this.call("GET", "/session")).status === 200;
  }

  async signOut(): Promise<void> {
    await ok(await this.call("POST", "/auth/logout"));
  }

  /** Opens a socket and joins `presence:me`, which makes it count. */
  async connect(report: Report = { page: "/", visible: true, idle_ms: 0 }): Promise<Tab> {
    return Tab.open(this, report);
  }
}

/** One socket: what a tab is to a browser. */
export class Tab {
  #ref = 1;
  #answered = new Set<string>();

  private constructor(readonly socket: WebSocket) {
    socket.on("message", (data) => {
      const [, ref, , event] = JSON.parse(String(data)) as [string, string, string, string, unknown];
      if (event === "phx_reply") this.#answered.add(ref);
    });
  }

  static async open(owner: ApiPerson, report: Report): Promise<Tab> {
    const socket = new WebSocket(`${owner.url.replace("http", "ws")}/socket/websocket?vsn=2.0.0`, {
      headers: { cookie: owner.cookie, origin: owner.url, "user-agent": owner.userAgent },
    });
    const tab = new Tab(socket);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    await tab.#push("phx_join", report);
    // What becomes of it later is what tests look at; an error is one way to end.
    socket.on("error", () => {});
    return tab;
  }

  /** Reports a page, an input or a visibility. */
  async meta(report: Report): Promise<void> {
    await this.#push("meta", report);
  }

  /** Says goodbye, as a tab that is closed. */
  close(): void {
    this.socket.close();
  }

  /** Breaks off, as a lost network. */
  terminate(): void {
    this.socket.terminate();
  }

  async #push(event: string, payload: unknown): Promise<void> {
    const ref = String(this.#ref++);
    this.socket.send(JSON.stringify(["1", ref, "presence:me", event, payload]));
    await within(5_000, `the answer to ${event}`, async () => this.#answered.has(ref));
  }
}

async function ok(answer: Response): Promise<Response> {
  expect(answer.status, `${answer.url} ${answer.ok ? "" : await answer.clone().text()}`).toBeLessThan(300);
  return answer;
}
