// The browser's agent: one socket for all its tabs, in a worker or in the tab that leads, and never a false word on
// who is here. What a worker complains about reaches no test, so all of this is seen from outside.

import type { BrowserContext, Page } from "@playwright/test";
import WebSocket from "ws";
import type { ApiPerson, OnlineRow } from "../support/api";
import { enter, live, peopleOnline, rowOf, signOut } from "../support/person";
import type { Person } from "../support/roster";
import { expect, test } from "../support/test";
import { SECOND, within } from "../support/within";

const GRACE = SECOND;
const IDLE_AFTER = 4 * SECOND;

test.use({
  settings: {
    ROLLCALL_GRACE: "1s",
    ROLLCALL_HIDDEN_GRACE: "20s",
    ROLLCALL_IDLE_AFTER: "4s",
    ROLLCALL_HEARTBEAT: "1s",
    ROLLCALL_SOCKET_LOST_AFTER: "3s",
    // A browser that needs two has not shared one: its second is refused.
    ROLLCALL_SOCKETS_PER_SESSION: "1",
  },
  // As people have it.
  launchOptions: async ({ launchOptions }, use) => use({ ...launchOptions, ignoreDefaultArgs: ["--disable-back-forward-cache"] }),
});

/** A browser without shared workers: then a tab leads. */
async function withoutWorkers(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => delete (window as { SharedWorker?: unknown }).SharedWorker);
}

/** What the server says of somebody; nothing when they are offline. */
async function seen(watcher: ApiPerson, person: Person): Promise<OnlineRow | undefined> {
  const { users } = await watcher.online();
  return users.find((u) => u.username === person.username);
}

/** Waits until the server says that somebody is in this state, on this page. */
async function isOn(watcher: ApiPerson, person: Person, state: string, page: string): Promise<void> {
  await within(5 * SECOND, `${state} on ${page}`, async () => {
    const row = await seen(watcher, person);
    return row?.state === state && row.page === page;
  });
}

/** Looks each 50 ms while `f` runs; gives every state somebody was in. */
async function statesDuring(watcher: ApiPerson, person: Person, f: () => Promise<void>): Promise<Set<string>> {
  const states = new Set<string>();
  let running = true;
  const watching = (async () => {
    while (running) {
      states.add((await seen(watcher, person))?.state ?? "offline");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  await f();
  running = false;
  await watching;
  return states;
}

/** Opens another tab of the same browser. */
async function anotherTab(page: Page, path: string): Promise<Page> {
  const tab = await page.context().newPage();
  await tab.goto(path);
  await live(tab);
  return tab;
}

for (const way of ["a worker", "a leading tab"] as const) {
  const prepare = async (page: Page) => {
    if (way === "a leading tab") await withoutWorkers(page.context());
  };

  test(`two tabs have one socket by ${way}, and either may go`, async ({ visitor, client, admin, newPerson }) => {
    const watcher = await client(admin);
    const person = await newPerson();
    const first = await visitor();
    await prepare(first);
    await enter(first, person, "/account");
    await isOn(watcher, person, "active", "/account");
    const second = await anotherTab(first, "/account/devices");
    await isOn(watcher, person, "active", "/account/devices");

    // The first held the socket where tabs lead; the other goes on with it.
    const states = await statesDuring(watcher, person, async () => {
      await first.close({ runBeforeUnload: true });
      await second.waitForTimeout(GRACE + 2 * SECOND);
    });
    expect(states).not.toContain("offline");
    await live(second);
    await second.keyboard.press("Shift");
    await isOn(watcher, person, "active", "/account/devices");

    await second.close({ runBeforeUnload: true });
    await within(GRACE + SECOND, "leaving", async () => (await seen(watcher, person)) === undefined);
  });

  test(`who goes to another site has left, and is back with the back button, by ${way}`, async ({
    visitor,
    client,
    admin,
    newPerson,
  }) => {
    const watcher = await client(admin);
    const person = await newPerson();
    const page = await visitor();
    await prepare(page);
    await enter(page, person, "/account");
    await page.goto("about:blank");
    await within(GRACE + 2 * SECOND, "leaving", async () => (await seen(watcher, person)) === undefined);
    // A page from the back/forward cache is not loaded again; Playwright would wait for it.
    await page.goBack({ waitUntil: "commit" });
    await live(page);
    await isOn(watcher, person, "active", "/account");
  });

  test(`a page put away and taken out again comes back, by ${way}`, async ({ visitor, client, admin, newPerson }) => {
    const watcher = await client(admin);
    const person = await newPerson();
    const page = await visitor();
    await prepare(page);
    await enter(page, person, "/account");
    const transition = (type: string) =>
      page.evaluate((t) => dispatchEvent(new PageTransitionEvent(t, { persisted: true })), type);
    await transition("pagehide");
    await within(GRACE + 2 * SECOND, "leaving", async () => (await seen(watcher, person)) === undefined);
    await transition("pageshow");
    await isOn(watcher, person, "active", "/account");
    await live(page);
  });

  test(`tabs come back when the server does, by ${way}`, async ({ visitor, client, server, admin, newPerson, complaints }) => {
    complaints.allowDisconnects();
    const person = await newPerson();
    const first = await visitor();
    await prepare(first);
    await enter(first, person, "/account");
    const second = await anotherTab(first, "/account/devices");
    await server.kill();
    for (const page of [first, second]) await expect(page.locator("html[data-live=reconnecting]")).toBeAttached();
    await server.restart();
    await live(first);
    await live(second);
    const watcher = await client(admin);
    await second.keyboard.press("Shift");
    await isOn(watcher, person, "active", "/account/devices");
  });
}

// One that is hidden as well, for minutes: hidden.spec.ts.
test("a frozen tab is never shown offline", async ({ visitor, client, admin, newPerson }) => {
  const watcher = await client(admin);
  const person = await newPerson();
  const page = await visitor();
  await enter(page, person, "/account");
  const chromium = await page.context().newCDPSession(page);
  const states = await statesDuring(watcher, person, async () => {
    await chromium.send("Page.setWebLifecycleState", { state: "frozen" });
    // Several times what would end a connection without a sign of life.
    await new Promise((resolve) => setTimeout(resolve, 12 * SECOND));
    await chromium.send("Page.setWebLifecycleState", { state: "active" });
  });
  expect([...states].sort()).toEqual(["active", "idle"]);
  await live(page);
  await page.keyboard.press("Shift");
  await isOn(watcher, person, "active", "/account");
});

test("a tab in view takes over from a leader that is held up", async ({ visitor, client, admin, newPerson }) => {
  const watcher = await client(admin);
  const person = await newPerson();
  const first = await visitor();
  await withoutWorkers(first.context());
  await enter(first, person, "/account");
  await isOn(watcher, person, "active", "/account");
  // As one that is frozen, but without depending on how a browser does that.
  await first.evaluate(() => {
    const says = BroadcastChannel.prototype.postMessage;
    BroadcastChannel.prototype.postMessage = () => {};
    Object.assign(window, { thaw: () => (BroadcastChannel.prototype.postMessage = says) });
  });
  const second = await first.context().newPage();
  await second.goto("/account/devices");
  await within(15 * SECOND, "a leader", async () => (await second.locator("html[data-live=live]").count()) === 1);
  await second.keyboard.press("Shift");
  await isOn(watcher, person, "active", "/account/devices");

  // The first is one among others now.
  await first.evaluate(() => (window as unknown as { thaw: () => void }).thaw());
  await first.reload();
  await live(first);
  await second.close({ runBeforeUnload: true });
  await live(first);
  await first.keyboard.press("Shift");
  await isOn(watcher, person, "active", "/account");
});

test("a hidden tab that is closed is gone when its grace is over", async ({ visitor, client, admin, newPerson }) => {
  const watcher = await client(admin);
  const person = await newPerson();
  const page = await visitor();
  await enter(page, person, "/account");
  await page.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { value: "hidden" });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  });
  await page.waitForTimeout(SECOND / 2);
  await page.close({ runBeforeUnload: true });
  await within(GRACE + SECOND, "leaving", async () => (await seen(watcher, person)) === undefined);
});

test("a tab that crashes is not counted for long", async ({ visitor, client, admin, newPerson, complaints }) => {
  complaints.allow(/crash/);
  const watcher = await client(admin);
  const person = await newPerson();
  const first = await visitor();
  await enter(first, person, "/account");
  const second = await anotherTab(first, "/account/devices");
  await isOn(watcher, person, "active", "/account/devices");
  const chromium = await second.context().newCDPSession(second);
  // Its own process may be the other tab's as well.
  void chromium.send("Page.crash").catch(() => {});
  await new Promise((resolve) => second.once("crash", resolve));
  await within(5 * SECOND, "the other page", async () => {
    const row = await seen(watcher, person);
    return row === undefined || row.page === "/account";
  });
});

test("a new sign-in in the same browser has a socket of its own", async ({ visitor, client, admin, newPerson }) => {
  const watcher = await client(admin);
  const [before, after] = [await newPerson(), await newPerson()];
  const page = await visitor();
  await enter(page, before, "/account");
  const other = await anotherTab(page, "/account");
  await signOut(page);
  await expect(other.getByRole("alertdialog", { name: "You are signed out" })).toBeVisible();
  await within(SECOND, "leaving", async () => (await seen(watcher, before)) === undefined);

  await enter(page, after, "/account/devices");
  await isOn(watcher, after, "active", "/account/devices");
  expect(await seen(watcher, before)).toBeUndefined();
  await expect(other.getByRole("alertdialog", { name: "You are signed out" })).toBeVisible();
});

test("without any socket a person is here all the same", async ({ visitor, client, admin, newPerson, server }) => {
  const watcher = await client(admin);
  const person = await newPerson();
  const page = await visitor();
  await enter(page, person);
  // Something else has the one socket of the session, and is nobody there: that of the browser is refused.
  const cookie = (await page.context().cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
  const headers = { cookie, origin: server.url };
  const holder = new WebSocket(`${server.url.replace("http", "ws")}/socket/websocket?vsn=2.0.0`, { headers });
  await new Promise((resolve, reject) => holder.once("open", resolve).once("error", reject));
  await page.goto("/account");
  await isOn(watcher, person, "active", "/account");
  await expect(page.locator("html[data-live=reconnecting]")).toBeAttached();
  holder.close();
  await live(page);
});

test("two live pages of one browser keep their own filters", async ({ page, client, admin, newPerson }) => {
  const [ann, bob] = [await newPerson({ name: "Ann Ownfilter" }), await newPerson({ name: "Bob Ownfilter" })];
  const tabs = [await (await client(ann)).connect(), await (await client(bob)).connect()];
  await enter(page, admin, "/admin/live?q=ann%20ownfilter");
  const second = await anotherTab(page, "/admin/live?q=bob%20ownfilter");
  await expect(rowOf(page, ann.name)).toBeVisible();
  await expect(rowOf(second, bob.name)).toBeVisible();

  // Pushed to each: what belongs to it and nothing else.
  for (const [i, tab] of tabs.entries()) await tab.meta({ page: `/now/${i}`, visible: true, idle_ms: 0 });
  await page.bringToFront();
  await expect(rowOf(page, ann.name)).toContainText("/now/0");
  await second.bringToFront();
  await expect(rowOf(second, bob.name)).toContainText("/now/1");
  for (const live of [page, second]) await expect(peopleOnline(live).locator("tbody tr")).toHaveCount(1);

  // One that goes leaves the other's as it is.
  await page.close({ runBeforeUnload: true });
  await tabs[1]?.meta({ page: "/later", visible: true, idle_ms: 0 });
  await expect(rowOf(second, bob.name)).toContainText("/later");
  for (const tab of tabs) tab.close();
});
