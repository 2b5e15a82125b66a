// `test` for every spec: a server of its own, and no page may complain.
//
//   import { expect, test } from "../support/test";
//   test.use({ settings: { ROLLCALL_IDLE_AFTER: "2s" } });
//   test("…", async ({ page, server, admin, newPerson, visitor, complaints }) => { … });
//
// The tests of a file share its server: starting one takes longer than most tests. Each makes people of its own, so
// none meets what another left. Any uncaught exception and any console error of any page fails the test, a violation
// of the content security policy among them, unless the test announced it.

import { test as base, expect, type BrowserContext, type BrowserContextOptions, type Page } from "@playwright/test";
import { ApiPerson } from "./api";
import { newcomer, type Person } from "./roster";
import { Rollcall, type Settings } from "./server";

export { expect };

/** What the pages of one test complained about. */
export class Complaints {
  #heard: string[] = [];
  #allowed: RegExp[] = [];

  /** Chromium logs every answer of 400 and above as an error. Announce the refusals a test provokes. */
  allowStatus(status: number): void {
    this.allow(new RegExp(`^Failed to load resource: the server responded with a status of ${status}\\b`));
  }

  /** For tests that stop the server, end a session or cut the network under an open page. */
  allowDisconnects(): void {
    this.allow(/net::ERR_|^WebSocket connection to .* failed/);
  }

  /** Anything else that a test provokes on purpose; matched against the message's text. */
  allow(message: RegExp): void {
    this.#allowed.push(message);
  }

  /** Listens to all pages of a context, now and later. */
  watch(context: BrowserContext): void {
    context.on("console", (message) => {
      if (message.type() === "error") this.#heard.push(`${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => this.#heard.push(`uncaught: ${error.error().stack ?? error.error().message}`));
    context.on("dialog", (dialog) => {
      this.#heard.push(`a dialog by a script: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }

  /** What was not announced. */
  unexpected(): string[] {
    return this.#heard.filter((text) => !this.#allowed.some((allowed) => allowed.test(text)));
  }
}

interface Fixtures {
  /** Collects complaints; ask for it to announce some. */
  complaints: Complaints;
  /** Opens a page of another browser: its own cookies, the same server, watched and closed like the first. */
  visitor: (options?: BrowserContextOptions) => Promise<Page>;
  /** Signs somebody in as a program would; signed out when the test ends. */
  client: (person: Person, userAgent?: string) => Promise<ApiPerson>;
  /** Starts a server for this test alone, for what must happen on one only once. */
  fresh: (settings?: Settings) => Promise<Rollcall>;
  /** Keeps what the server logged during a test that fails. */
  serverLog: void;
}

interface Shared {
  /** Settings of the file's server; change them with `test.use` at the top of the file. */
  settings: Settings;
  /** The file's server, started when it is first asked for. */
  server: Rollcall;
  /** Its administrator. */
  admin: Person;
  /** Adds a person nobody else uses to the server, by default a member. */
  newPerson: (more?: Partial<Person>) => Promise<Person>;
}

export const test = base.extend<Fixtures, Shared>({
  settings: [{}, { option: true, scope: "worker" }],

  server: [
    async ({ settings }, use) => {
      const server = await Rollcall.start(settings);
      await use(server);
      await server.remove();
    },
    { scope: "worker" },
  ],

  newPerson: [
    async ({ server }, use) => {
      await use(async (more = {}) => {
        const person = newcomer(more);
        await server.addUser(person);
        return person;
      });
    },
    { scope: "worker" },
  ],

  admin: [async ({ newPerson }, use) => use(await newPerson({ role: "admin" })), { scope: "worker" }],

  baseURL: async ({ server }, use) => use(server.url),

  serverLog: [
    async ({ server }, use, info) => {
      const before = server.log.length;
      await use();
      if (info.status !== info.expectedStatus) await info.attach("server log", { body: server.log.slice(before) });
    },
    { auto: true },
  ],

  complaints: [
    async ({}, use) => {
      const complaints = new Complaints();
      await use(complaints);
      expect(complaints.unexpected(), "errors that the pages logged").toEqual([]);
    },
    { auto: true },
  ],

  // `fresh` comes first, so that pages close before the servers they show.
  context: async ({ fresh: _, context, complaints }, use) => {
    complaints.watch(context);
    await use(context);
  },

  visitor: async ({ browser, contextOptions, viewport, locale, timezoneId, server, complaints, fresh: _ }, use) => {
    const opened: BrowserContext[] = [];
    await use(async (options = {}) => {
      const defaults = { ...contextOptions, viewport, locale, timezoneId, baseURL: server.url };
      const context = await browser.newContext({ ...defaults, ...options });
      opened.push(context);
      complaints.watch(context);
      return context.newPage();
    });
    for (const context of opened) await context.close();
  },

  client: async ({ server }, use) => {
    const signedIn: ApiPerson[] = [];
    await use(async (person, userAgent) => {
      const client = await ApiPerson.signIn(server, person, userAgent);
      signedIn.push(client);
      return client;
    });
    // The next test of the file finds nobody there. A server that a failed test has left down has nobody either.
    for (const client of signedIn) await client.signOut().catch(() => {});
  },

  fresh: async ({}, use) => {
    const started: Rollcall[] = [];
    await use(async (settings = {}) => {
      const server = await Rollcall.start(settings);
      started.push(server);
      return server;
    });
    for (const server of started) await server.remove();
  },
});
