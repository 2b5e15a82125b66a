// Tabs that nobody looks at, for minutes and with the limits that people have: Chromium throttles and then freezes
// them, and who left them open is here all the same. It waits for the most part, and runs beside the other tests.

import type { Page } from "@playwright/test";
import { OwnChromium } from "../support/chromium";
import { enter, fillSignIn, live, rowOf, stateOf } from "../support/person";
import { expect, test } from "../support/test";
import { SECOND, within } from "../support/within";

/** Longer than a connection without a sign of life has, and than a throttled timer takes to come round twice. */
const THROTTLED_FOR = 130 * SECOND;
const FROZEN_FOR = 70 * SECOND;
/** The server's default: a connection without a sign of life for longer is lost. */
const LOST_AFTER = 45 * SECOND;
/** Long enough for Chromium to finish what it does before it freezes. */
const SETTLED_AFTER = 10 * SECOND;

test.setTimeout(420 * SECOND);

/** Tries to do something each second; gives when the page was let, in milliseconds. */
async function tick(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(() => {
    const ticks: number[] = [];
    Object.assign(window, { ticks });
    setInterval(() => ticks.push(Date.now()), 1_000);
  });
  return () => page.evaluate(() => (window as unknown as { ticks: number[] }).ticks);
}

/** Notes everything that the live page says of somebody's state, at every change of the page. */
async function noteStates(page: Page, name: string): Promise<() => Promise<string[]>> {
  await page.evaluate((name) => {
    const all = ((window as unknown as { said?: Record<string, Set<string>> }).said ??= {});
    const said = (all[name] = new Set<string>());
    const look = () => {
      const links = [...document.querySelectorAll("[data-row] th a")];
      const row = links.find((a) => a.textContent === name)?.closest("tr");
      said.add(row?.querySelector("td")?.innerText ?? "not in the list");
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    look();
  }, name);
  return () =>
    page.evaluate((name) => [...((window as unknown as { said: Record<string, Set<string>> }).said[name] ?? [])], name);
}

test("tabs that are hidden for minutes are never shown offline", async ({ page, client, server, admin, newPerson }) => {
  const api = await client(admin);
  await enter(page, admin, "/admin/live");
  const hidden = [];
  for (const way of ["a worker", "a leading tab"] as const) {
    const person = await newPerson({ name: `Behind ${way}` });
    const chromium = await OwnChromium.start();
    const tab = await chromium.context.newPage();
    if (way === "a leading tab") await tab.addInitScript(() => delete (window as { SharedWorker?: unknown }).SharedWorker);
    await tab.goto(`${server.url}/login?next=%2Faccount`);
    await fillSignIn(tab, person.username, person.password);
    await live(tab);
    await expect(stateOf(page, person.name)).toHaveText("Active");
    const states = await noteStates(page, person.name);
    const ticks = await tick(tab);
    const cover = await chromium.context.newPage();
    expect(await tab.evaluate(() => document.visibilityState)).toBe("hidden");
    hidden.push({ way, person, chromium, tab, cover, states, ticks });
  }
  const rowsOf = async () => {
    const { users } = await api.online();
    return hidden.map(({ person }) => users.find((u) => u.username === person.username));
  };
  await within(5 * SECOND, "both are hidden", async () =>
    (await rowsOf()).every((row) => row?.devices.every((d) => !d.visible)),
  );
  const answers = new Set<string>();
  const asking = setInterval(
    () =>
      void rowsOf()
        .then((rows) => rows.forEach((row) => answers.add(row?.state ?? "offline")))
        .catch((error: unknown) => answers.add(String(error))),
    SECOND,
  );

  await page.waitForTimeout(THROTTLED_FOR);
  for (const { way, ticks } of hidden) {
    // When it begins to throttle is up to Chromium; from then on a timer of a second comes once a minute, on the minute.
    const longest = async () => {
      const at = [...(await ticks()), Date.now()];
      return Math.max(...at.map((t, i) => t - (at[i - 1] ?? t)));
    };
    const message = `between two timers of a throttled page, by ${way}`;
    await expect.poll(longest, { message, timeout: 120 * SECOND, intervals: [SECOND] }).toBeGreaterThan(LOST_AFTER);
  }

  for (const { tab } of hidden) {
    const session = await tab.context().newCDPSession(tab);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
  }
  const frozenAt = Date.now() + SETTLED_AFTER;
  await page.waitForTimeout(FROZEN_FOR);
  for (const { way, ticks } of hidden) {
    const later = (await ticks()).filter((t) => t > frozenAt);
    expect(later, `timers of a frozen page, by ${way}`).toEqual([]);
  }

  clearInterval(asking);
  expect([...answers], "what the API said, each second").toEqual(["active"]);
  for (const { way, person, chromium, tab, states } of hidden) {
    expect(await states(), `what the live page said, by ${way}`).toEqual(["Active"]);
    const session = await tab.context().newCDPSession(tab);
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await tab.bringToFront();
    await live(tab);
    await tab.getByRole("link", { name: "Devices", exact: true }).first().click();
    await expect(rowOf(page, person.name)).toContainText("/account/devices");
    await chromium.close();
  }
});
