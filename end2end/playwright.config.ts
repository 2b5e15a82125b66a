// Settings of the browser tests. `cargo xtask test --only browser` builds what they need, sets ROLLCALL_BIN and
// CHROMIUM and runs them; to run one alone, set both by hand and call `npx playwright test NAME`.

import { defineConfig } from "@playwright/test";

const WAITING = "hidden.spec.ts";

export default defineConfig({
  testDir: "tests",
  // Some tests measure times of a second; another browser and server on the same two cores would be in the figure. So
  // they go one after the other, except for what does next to nothing for minutes.
  workers: 2,
  projects: [
    { name: "waiting", testMatch: WAITING, workers: 1 },
    { name: "working", testIgnore: WAITING, workers: 1 },
  ],
  // A test that passes only when tried again has found something.
  retries: 0,
  forbidOnly: !!process.env.CI,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  outputDir: "test-results/files",
  reporter: [["list"], ["json", { outputFile: "test-results/report.json" }]],
  use: {
    locale: "en-GB",
    timezoneId: "UTC",
    viewport: { width: 1440, height: 900 },
    actionTimeout: 10_000,
    navigationTimeout: 20_000,
    screenshot: "only-on-failure",
    // Recording slows every action; to look into a failure, run that test with `--trace on`.
    trace: "off",
    launchOptions: {
      executablePath: process.env.CHROMIUM || undefined,
      args: [
        // Chromium refuses its sandbox to root, which is who runs tests in a container.
        "--no-sandbox",
        "--disable-gpu",
        // Without these it calls home and, where it cannot, fills the log with refused connections.
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
      ],
    },
  },
});
