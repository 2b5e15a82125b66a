// Many people at once, as cheap as they come: sessions from `rollcall load prepare`, alive by heartbeats.

import { Agent, request } from "node:http";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Rollcall } from "./server";

/** Requests on their way at once; each connection is used again and again. */
const AT_ONCE = 16;

/** They have no sockets: a process may open 20,000 files, and neither the server nor the test is one that opens more. */
export class Crowd {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  #isGoing = false;
  #going = Promise.resolve();

  private constructor(
    readonly server: Rollcall,
    /** Values of the Cookie header, in the order of their sign-ins; the first is "Load 00001". */
    readonly cookies: string[],
  ) {}

  /** Gives so many people a session each. Nobody is online yet. */
  static async prepare(server: Rollcall, people: number): Promise<Crowd> {
    const file = join(server.dataDir, "cookies");
    const { code, stderr } = await server.run(["load", "prepare", "--people", String(people), "--out", file, "--yes"]);
    if (code !== 0) throw new Error(`load prepare ended with ${code}:\n${stderr}`);
    const lines = (await readFile(file, "utf8")).trim().split("\n");
    return new Crowd(server, lines.map((line) => line.split("\t")[1] ?? ""));
  }

  /** A sign of life of each from the `from`th to before the `to`th. */
  async arrive(from: number, to: number): Promise<void> {
    let next = from;
    const one = async () => {
      for (let n = next++; n < to; n = next++) await this.beat(n, `/orders/${n}`);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  }

  /** The `n`th person, counted from 0, is active on a page. */
  async beat(n: number, page: string): Promise<void> {
    await this.#post(n, "/heartbeat", { page, idle_ms: 0 });
  }

  async signOut(n: number): Promise<void> {
    await this.#post(n, "/auth/logout", {});
  }

  /** Does `what` again and again, so many milliseconds apart, until they rest. */
  go(apart: number, what: (n: number) => Promise<void>): void {
    this.#isGoing = true;
    this.#going = (async () => {
      for (let n = 0; this.#isGoing; n += 1) {
        await what(n);
        await new Promise((resolve) => setTimeout(resolve, apart));
      }
    })();
  }

  async rest(): Promise<void> {
    this.#isGoing = false;
    await this.#going;
  }

  async close(): Promise<void> {
    await this.rest();
    this.#agent.destroy();
  }

  // Not `fetch`, which costs twice the processor: it is the server's.
  #post(n: number, path: string, body: unknown): Promise<void> {
    const headers = { cookie: this.cookies[n] ?? "", "content-type": "application/json" };
    return new Promise((resolve, reject) => {
      const sent = request(`${this.server.url}/api/v1${path}`, { method: "POST", agent: this.#agent, headers }, (answer) => {
        const { statusCode = 0 } = answer;
        answer.resume().once("end", () => {
          if (statusCode < 300) resolve();
          else reject(new Error(`${path} of person ${n}: ${statusCode}`));
        });
      });
      sent.once("error", reject);
      sent.end(JSON.stringify(body));
    });
  }
}
