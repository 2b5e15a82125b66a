// A real server for a test: the built binary, a temporary folder, a free port.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Person } from "./roster";

/** Settings by the name of their environment variable, e.g. `{ ROLLCALL_IDLE_AFTER: "2s" }`. */
export type Settings = Record<string, string>;

/** What one run of the binary answered. */
export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

/** How long a start may take on a busy machine; the migrations of a new database are in it. */
const START_MS = 30_000;

/** The server gives its sockets and batches 10 s to end; more than that is a failure. */
const STOP_MS = 12_000;

/** Servers still running when the test process ends, whatever the reason, end with it. */
const running = new Set<ChildProcess>();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

export class Rollcall {
  /** `http://127.0.0.1:PORT`; the same after a restart. */
  url = "";
  /** The one-time link of a fresh database, when it printed one. */
  setupUrl: string | undefined;
  /** Everything it logged so far, over all starts. */
  log = "";
  #child: ChildProcess | undefined;

  private constructor(
    /** The folder of its database, files and keys. */
    readonly dataDir: string,
    private settings: Settings,
  ) {}

  /** Starts a server on a fresh database. */
  static async start(settings: Settings = {}): Promise<Rollcall> {
    const server = new Rollcall(await mkdtemp(join(tmpdir(), "rollcall-test-")), settings);
    try {
      await server.#launch("127.0.0.1:0");
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  /** Adds a person beside the running server, as an operator would. */
  async addUser(person: Person): Promise<void> {
    const args = ["user", "add", "--password-stdin"];
    for (const key of ["username", "name", "email", "role", "org"] as const) {
      const value = person[key];
      if (value !== undefined) args.push(`--${key}`, value);
    }
    const { code, stderr } = await this.run(args, person.password);
    if (code !== 0) throw new Error(`rollcall ${args.join(" ")} ended with ${code}:\n${stderr}`);
  }

  /** Runs another command of the binary on the same database. */
  async run(args: string[], stdin = ""): Promise<Answer> {
    const child = spawn(binary(), args, { env: this.#environment(), stdio: "pipe" });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    // A command that reads no input may have ended before it gets any.
    child.stdin.on("error", () => {});
    child.stdin.end(stdin);
    const [code] = (await once(child, "close")) as [number | null];
    return { code: code ?? -1, stdout, stderr };
  }

  /** Asks it to stop and waits until it has; throws when it takes too long. */
  async stop(): Promise<void> {
    const ended = await this.#end("SIGTERM", STOP_MS);
    if (!ended) {
      await this.kill();
      throw new Error(`the server did not stop within ${STOP_MS} ms`);
    }
  }

  /** Ends it at once, as a power cut would. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL", STOP_MS);
  }

  /** Starts it again after `stop` or `kill`, on the same port and database; stops it first if it still runs. */
  async restart(settings: Settings = {}): Promise<void> {
    await this.stop();
    this.settings = { ...this.settings, ...settings };
    await this.#launch(new URL(this.url).host);
  }

  /** Ends it and deletes its folder. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  async #launch(listen: string): Promise<void> {
    const env = { ...this.#environment(), ROLLCALL_LISTEN: listen };
    const child = spawn(binary(), ["serve"], { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    running.add(child);
    child.once("exit", () => running.delete(child));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.log += text));
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${why}\n${this.log}`));
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        fail(`the server did not listen within ${START_MS} ms`);
      }, START_MS);
      let stdout = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
        this.setupUrl = /(\S+\/setup\?token=\S+)/.exec(stdout)?.[1] ?? this.setupUrl;
        const url = /listening on (http:\/\/\S+)\s/.exec(stdout)?.[1];
        if (!url) return;
        this.url = url.replace(/\/$/, "");
        clearTimeout(timer);
        resolve();
      });
      child.once("error", (error) => {
        clearTimeout(timer);
        fail(`the server could not be started: ${error.message}`);
      });
      child.once("exit", (code, signal) => {
        clearTimeout(timer);
        fail(`the server ended with ${code ?? signal}`);
      });
    });
  }

  /** Sends a signal and says whether the server ended in time. */
  async #end(signal: NodeJS.Signals, withinMs: number): Promise<boolean> {
    const child = this.#child;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return true;
    const ended = once(child, "exit").then(() => true);
    child.kill(signal);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), withinMs)));
    const inTime = await Promise.race([ended, late]);
    clearTimeout(timer);
    return inTime;
  }

  #environment(): NodeJS.ProcessEnv {
    // Settings of the machine the tests run on must not leak in.
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("ROLLCALL_"));
    return {
      ...Object.fromEntries(own),
      ROLLCALL_DATA_DIR: this.dataDir,
      ROLLCALL_OPS_LISTEN: "off",
      // All browsers of a test come from one address and sign in within seconds.
      ROLLCALL_LOGIN_THROTTLE: "off",
      ...this.settings,
    };
  }
}

function binary(): string {
  const path = process.env.ROLLCALL_BIN;
  if (!path) throw new Error("ROLLCALL_BIN is not set: run `cargo xtask test --only browser`");
  return path;
}
