// A server that dies or is replaced under open pages: they come back by themselves, with the truth.

import type { Page } from "@playwright/test";
import { check } from "../support/axe";
import { enter, live, peopleOnline, rowOf, stateOf } from "../support/person";
import { expect, test } from "../support/test";
import { SECOND, within } from "../support/within";

const RESTART_GRACE = 6 * SECOND;

test.use({ settings: { ROLLCALL_GRACE: "2s", ROLLCALL_RESTART_GRACE: "6s" } });

/** A page that is loaded again forgets this. */
async function mark(page: Page): Promise<void> {
  await page.evaluate(() => Object.assign(window, { marked: true }));
}

function isMarked(page: Page): Promise<boolean> {
  return page.evaluate(() => "marked" in window);
}

for (const way of ["kill", "stop"] as const) {
  const title = way === "kill" ? "killed" : "stopped in good order";
  test(`open pages survive a server that is ${title}`, async ({
    page,
    visitor,
    client,
    server,
    admin,
    newPerson,
    complaints,
  }) => {
    complaints.allowDisconnects();
    const person = await newPerson({ org: "Survivors" });
    await enter(page, admin, "/admin/live");
    const theirs = await visitor();
    await enter(theirs, person, "/account");
    await expect(stateOf(page, person.name)).toHaveText("Active");
    await mark(page);
    await mark(theirs);

    if (way === "kill") await server.kill();
    else await server.stop();
    for (const open of [page, theirs]) {
      await expect(open.locator("html[data-live=reconnecting]")).toBeAttached();
      await expect(
        open.getByText(way === "kill" ? /^Reconnecting…/ : /^Updating to a new version/).first(),
      ).toBeVisible();
    }
    // What was shown stays, and is not called anything it is not.
    await expect(stateOf(page, person.name)).toHaveText("Active");

    await server.restart();
    await live(page);
    await live(theirs);
    const api = await client(admin);
    await within(RESTART_GRACE + SECOND, "the right table", async () => {
      const truth = (await api.online()).users.map((u) => [u.name, u.state]);
      const rows = await peopleOnline(page)
        .locator("tbody tr")
        .evaluateAll((all) =>
          all.map((row) => [row.querySelector("th a")?.textContent, row.querySelector("td")?.innerText]),
        );
      // Those of the test before are still shown as having left.
      const shown = rows.filter(([, state]) => !state?.startsWith("Left"));
      const same = (a: unknown) => JSON.stringify(a).toLowerCase();
      return same(shown) === same(truth) && truth.some(([name, state]) => name === person.name && state === "active");
    });
    expect(await isMarked(page)).toBe(true);
    expect(await isMarked(theirs)).toBe(true);

    // Live again means live: a change after the restart is pushed.
    await theirs.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Devices" }).click();
    const cell = rowOf(page, person.name).getByRole("cell", { name: "/account/devices", exact: true });
    await within(SECOND, "a change after the restart", async () => (await cell.count()) === 1);
  });
}

test("who does not return after a restart is unknown, then gone", async ({
  page,
  client,
  server,
  admin,
  newPerson,
  complaints,
}) => {
  complaints.allowDisconnects();
  const person = await newPerson();
  await (await client(person)).connect();
  await enter(page, admin, "/admin/live");
  await expect(stateOf(page, person.name)).toHaveText("Active");

  await server.restart();
  const listening = performance.now();
  await expect(stateOf(page, person.name)).toHaveText("Unknown");
  await expect(stateOf(page, person.name)).toHaveText(/^Left/, { timeout: RESTART_GRACE + 3 * SECOND });
  expect(performance.now() - listening).toBeGreaterThan(RESTART_GRACE - SECOND);
});

test("a page that stays without its server says how old it is, and can be told to try", async ({
  page,
  server,
  admin,
  complaints,
}) => {
  complaints.allowDisconnects();
  await enter(page, admin, "/admin/live");
  await server.kill();
  const banner = page.getByText(/^Live updates are off\./);
  await expect(banner).toBeVisible({ timeout: 12 * SECOND });
  await expect(banner).toContainText(/Showing data from \d\d:\d\d:\d\d\./);
  await expect(page.locator("html[data-live=stale]")).toBeAttached();
  await check(page, "without its server");
  await server.restart();
  // It may have come back by itself a moment before.
  await page
    .getByRole("button", { name: "Retry now" })
    .click({ timeout: 2 * SECOND })
    .catch(() => {});
  await within(5 * SECOND, "live again", async () => (await page.locator("html[data-live=live]").count()) === 1);
  await expect(banner).toBeHidden();
});

test("a browser without a network says so at once and comes back at once", async ({ page, admin, complaints }) => {
  complaints.allowDisconnects();
  await enter(page, admin, "/admin/live");
  await page.context().setOffline(true);
  await within(SECOND, "offline", async () => (await page.locator("html[data-live=offline]").count()) === 1);
  await expect(page.getByText(/^You are offline\./)).toBeVisible();
  await page.context().setOffline(false);
  await within(3 * SECOND, "live again", async () => (await page.locator("html[data-live=live]").count()) === 1);
});
