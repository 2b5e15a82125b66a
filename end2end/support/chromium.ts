// A Chromium that Playwright has not set up: it hides, throttles and freezes tabs as people's browsers do. In those that
// Playwright starts, every page is told that it is in view and has the focus.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium } from "@playwright/test";

/** A timer of a page that is hidden for longer than this fires once a minute. Chromium itself waits five minutes. */
const THROTTLED_AFTER_S = 5;

export class OwnChromium {
  private constructor(
    private readonly child: ChildProcess,
    private readonly profile: string,
    private readonly browser: Browser,
    /** All of its tabs; a new one covers the others. */
    readonly context: BrowserContext,
  ) {}

  static async start(): Promise<OwnChromium> {
    const profile = await mkdtemp(join(tmpdir(), "rollcall-profile-"));
    const child = spawn(process.env.CHROMIUM || chromium.executablePath(), [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      `--user-data-dir=${profile}`,
      "--remote-debugging-port=0",
      `--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/${THROTTLED_AFTER_S}`,
      "about:blank",
    ]);
    process.once("exit", () => child.kill("SIGKILL"));
    const endpoint = await new Promise<string>((resolve, reject) => {
      let said = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        const [, url] = /DevTools listening on (\S+)/.exec(said) ?? [];
        if (url) resolve(url);
      });
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`Chromium ended:\n${said}`)));
    });
    const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true });
    const [context] = browser.contexts();
    if (!context) throw new Error("this Chromium has no context");
    return new OwnChromium(child, profile, browser, context);
  }

  async close(): Promise<void> {
    await this.browser.close();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill("SIGKILL");
      await once(this.child, "exit");
    }
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
