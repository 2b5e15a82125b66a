// The live page: what happens is seen within a second of its rule, and nothing jumps.

import type { Page } from "@playwright/test";
import type { ApiPerson, OnlinePage } from "../support/api";
import type { Person } from "../support/roster";
import { enter, live, openDrawer, peopleOnline, rowOf, signIn, signOut, stateOf } from "../support/person";
import { expect, test } from "../support/test";
import { SECOND, within } from "../support/within";

const IDLE_AFTER = 3 * SECOND;
const GRACE = SECOND;

test.use({ settings: { ROLLCALL_IDLE_AFTER: "3s", ROLLCALL_GRACE: "1s" } });

/** Whether a person's state reads `state`; somebody who left is dimmed and says so. */
function reads(page: Page, name: string, state: RegExp): () => Promise<boolean> {
  return async () => {
    const cell = stateOf(page, name);
    return (await cell.count()) === 1 && state.test(await cell.innerText());
  };
}

/** The number in "N online". */
async function online(page: Page): Promise<number> {
  return parseInt(await page.getByText(/^\d+ online$/).innerText(), 10);
}

/** Opens the live page once everybody of the tests before has gone. */
async function watchAlone(page: Page, admin: Person): Promise<void> {
  await enter(page, admin, "/admin/live");
  await within(10 * SECOND, "nobody else", async () => {
    const answer = await page.context().request.get("/api/v1/admin/users/online");
    return ((await answer.json()) as OnlinePage).total === 1 && (await online(page)) === 1;
  });
}

/** The names in the table, from the top. */
function names(page: Page): Promise<string[]> {
  return peopleOnline(page).locator("tbody").getByRole("rowheader").allInnerTexts();
}

test("a person is seen to arrive, move, fall idle, come back and sign out", async ({
  page,
  visitor,
  admin,
  newPerson,
}) => {
  const person = await newPerson({ role: "teacher", org: "North" });
  await watchAlone(page, admin);

  const theirs = await visitor();
  await signIn(theirs, person);
  await live(theirs);
  await within(SECOND, "arrival", reads(page, person.name, /^Active/));
  const row = rowOf(page, person.name);
  await expect(row).toContainText(person.email ?? "");
  await expect(row).toContainText("Teacher");
  await expect(row).toContainText("North");
  await expect(row).toContainText("Chrome on Linux");
  await expect(row).toContainText("127.0.0.1");
  await within(SECOND, "the number", async () => (await online(page)) === 2);

  // By links, without loading a page.
  await theirs.evaluate(() => Object.assign(window, { stayed: true }));
  for (const [link, path] of [
    ["Devices", "/account/devices"],
    ["Account", "/account"],
  ] as const) {
    await theirs.getByRole("navigation", { name: "Main" }).getByRole("link", { name: link, exact: true }).click();
    const page_cell = row.getByRole("cell", { name: path, exact: true });
    await within(SECOND, `the page ${path}`, async () => (await page_cell.count()) === 1);
  }
  expect(await theirs.evaluate(() => "stayed" in window)).toBe(true);

  await within(IDLE_AFTER + SECOND, "idle", reads(page, person.name, /^Idle/));
  await theirs.keyboard.press("Shift");
  await within(SECOND, "the return", reads(page, person.name, /^Active/));

  await signOut(theirs);
  await within(SECOND, "signing out", reads(page, person.name, /^Left/));
  await within(SECOND, "the number", async () => (await online(page)) === 1);
});

test("a closed tab is gone when its grace is over, and a reload is nothing", async ({
  page,
  visitor,
  admin,
  newPerson,
}) => {
  const person = await newPerson();
  await enter(page, admin, "/admin/live");
  const theirs = await visitor();
  await enter(theirs, person, "/");
  await within(SECOND, "arrival", reads(page, person.name, /^Active/));

  const seen: string[] = [];
  const watching = setInterval(
    () =>
      void stateOf(page, person.name)
        .innerText()
        .then((text) => seen.push(text)),
    50,
  );
  await theirs.reload();
  await live(theirs);
  clearInterval(watching);
  expect(seen.filter((text) => /^Left/.test(text))).toEqual([]);

  await theirs.close({ runBeforeUnload: true });
  await within(GRACE + SECOND, "leaving", reads(page, person.name, /^Left/));
});

test("a browser that dies is gone when its grace is over", async ({ page, client, admin, newPerson }) => {
  const person = await newPerson();
  await enter(page, admin, "/admin/live");
  const api = await client(person);
  const tab = await api.connect({ page: "/", visible: true, idle_ms: 0 });
  await within(SECOND, "arrival", reads(page, person.name, /^Active/));
  tab.terminate();
  await within(GRACE + SECOND, "leaving", reads(page, person.name, /^Left/));
});

test("two tabs and two devices are one person", async ({ page, visitor, admin, newPerson }) => {
  const person = await newPerson();
  await watchAlone(page, admin);
  const first = await visitor();
  await enter(first, person, "/");
  const second = await first.context().newPage();
  await second.goto("/account");
  await live(second);
  const phone = await visitor({
    userAgent:
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
  });
  await enter(phone, person, "/account/devices");

  await within(SECOND, "one row", async () => (await rowOf(page, person.name).count()) === 1);
  expect(await online(page)).toBe(2);
  const drawer = await openDrawer(page, person.name);
  await expect(drawer.getByRole("heading", { name: "2 sessions" })).toBeVisible();
  for (const text of ["Chrome on Linux", "Safari on iPhone", "/account", "/account/devices", "in view"]) {
    await expect(drawer).toContainText(text);
  }

  // One tab less is still the same person, and still here.
  await second.close();
  await expect(drawer).not.toContainText(/\/account(?!\/)/);
  await expect(stateOf(page, person.name)).not.toHaveText(/^Left/);
  expect(await online(page)).toBe(2);
});

test("ending a session throws its browser out, and only that one", async ({
  page,
  visitor,
  admin,
  newPerson,
  complaints,
}) => {
  complaints.allowStatus(401);
  const person = await newPerson();
  await enter(page, admin, "/admin/live");
  const [first, other] = [await visitor(), await visitor()];
  await enter(first, person, "/account");
  await enter(other, await newPerson(), "/account");

  const drawer = await openDrawer(page, person.name);
  await drawer.getByRole("button", { name: "End this session" }).click();
  const asked = page.getByRole("alertdialog", { name: "End sessions" });
  await expect(asked).toContainText(person.name);
  await asked.getByRole("button", { name: "Cancel" }).click();
  await expect(asked).toBeHidden();
  await drawer.getByRole("button", { name: "End this session" }).click();
  await asked.getByRole("button", { name: "End session" }).click();

  const out = first.getByRole("alertdialog", { name: "You are signed out" });
  await within(SECOND, "the dialog", () => out.isVisible());
  await expect(out).toContainText("ended from another device or by an administrator");
  await within(SECOND, "leaving", reads(page, person.name, /^Left/));
  await expect(page.getByRole("status").filter({ hasText: "1 session ended." })).toBeVisible();
  await expect(other.getByRole("alertdialog")).toBeHidden();

  // What the old page still asks for is refused, and the way back leads to where one was.
  await first.keyboard.press("Escape");
  await expect(out).toBeVisible();
  await out.getByRole("link", { name: "Sign in" }).click();
  await expect(first).toHaveURL(/\/login\?next=%2Faccount$/);
});

test("a paused list waits and says how much", async ({ page, client, admin, newPerson }) => {
  const [early, late] = [await newPerson(), await newPerson()];
  await enter(page, admin, "/admin/live");
  const api = await client(early);
  const tab = await api.connect();
  await expect(rowOf(page, early.name)).toBeVisible();

  await page.getByRole("button", { name: /^Pause/ }).click();
  const paused = page.getByRole("button", { name: /^Paused/ });
  await expect(paused).toHaveAttribute("aria-pressed", "true");
  await tab.meta({ page: "/while-paused", visible: true, idle_ms: 0 });
  const another = await (await client(late)).connect();
  await expect(paused).toHaveText(/Paused · \d+ updates? waiting/);
  await expect(rowOf(page, early.name)).not.toContainText("/while-paused");
  await expect(rowOf(page, late.name)).toHaveCount(0);

  // `p` is the same switch.
  await page.getByRole("heading", { level: 1 }).click();
  await page.keyboard.press("p");
  await expect(rowOf(page, early.name)).toContainText("/while-paused");
  await expect(rowOf(page, late.name)).toBeVisible();
  await expect(page.getByRole("button", { name: /^Pause/ })).toHaveAttribute("aria-pressed", "false");
  tab.close();
  another.close();
});

test("newcomers wait while the list is being read; the focused row keeps its place", async ({
  page,
  client,
  admin,
  newPerson,
}) => {
  const reader = await newPerson();
  const tabs = [await (await client(reader)).connect()];
  await enter(page, admin, "/admin/live?sort=started_desc");
  const link = rowOf(page, reader.name).getByRole("link");
  await link.focus();
  const y = async () => (await link.boundingBox())?.y;
  const before = await y();

  const newcomers = [await newPerson(), await newPerson(), await newPerson()];
  for (const person of newcomers) tabs.push(await (await client(person)).connect());
  const show = page.getByRole("button", { name: "3 new · Show" });
  await expect(show).toBeVisible();
  expect(await y()).toBe(before);
  await expect(link).toBeFocused();
  for (const person of newcomers) await expect(rowOf(page, person.name)).toHaveCount(0);

  await show.click();
  for (const person of newcomers) await expect(rowOf(page, person.name)).toBeVisible();
  expect((await names(page)).slice(0, 3)).toEqual(newcomers.map((p) => p.name).reverse());
  await expect(show).toBeHidden();
  for (const tab of tabs) tab.close();
});

test("the list is filtered and sorted by its address", async ({ page, client, server, admin, newPerson }) => {
  const org = "Filtered";
  const people = [
    await newPerson({ org, name: "Zora Filter" }),
    await newPerson({ org, role: "student", name: "Anna Filter" }),
    await newPerson({ org, name: "Milo Filter" }),
  ];
  const [zora, anna, milo] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]];
  for (const person of people) {
    const api = await client(person);
    await api.beat({ page: "/reports", idle_ms: 0 });
    if (person === milo) await api.choose("busy");
  }
  await enter(page, admin, "/admin/live");
  const table = peopleOnline(page);

  await page.getByRole("searchbox", { name: "Filter people" }).fill("filter");
  await expect(page).toHaveURL(/\?q=filter$/);
  await expect.poll(() => names(page)).toEqual([zora.name, anna.name, milo.name]);
  await table.getByRole("button", { name: "Name" }).click();
  await expect.poll(() => names(page)).toEqual([anna.name, milo.name, zora.name]);
  await expect(table.getByRole("columnheader", { name: "Name" })).toHaveAttribute("aria-sort", "ascending");
  await expect(table.locator("[aria-sort]")).toHaveCount(1);
  await page.getByRole("combobox", { name: "Sort" }).selectOption("started");
  await table.getByRole("button", { name: "Signed in" }).click();
  await expect.poll(() => names(page)).toEqual([milo.name, anna.name, zora.name]);

  await page.getByRole("combobox", { name: "Role" }).selectOption("student");
  await expect.poll(() => names(page)).toEqual([anna.name]);
  await page.getByRole("combobox", { name: "Role" }).selectOption("");
  await page.getByRole("combobox", { name: "State" }).selectOption("busy");
  await expect.poll(() => names(page)).toEqual([milo.name]);
  await page.getByRole("combobox", { name: "State" }).selectOption("");
  await page.getByRole("combobox", { name: "Organisation" }).selectOption(org);
  await expect.poll(async () => (await names(page)).length).toBe(3);

  // The address says it all: a reload shows the same, rendered by the server.
  const shown = await names(page);
  await page.reload();
  await live(page);
  expect(await names(page)).toEqual(shown);
  await page.getByRole("searchbox", { name: "Filter people" }).fill("nobody is called this");
  await expect(page.getByText(/^Nobody online matches these 2 filters\./)).toBeVisible();
  await page.getByRole("link", { name: "Clear filters" }).click();
  await expect(page).toHaveURL(/\/admin\/live$/);
  await expect(rowOf(page, zora.name)).toBeVisible();
});

test("twenty people come and go and nothing shifts", async ({ page, client, admin, newPerson }) => {
  const people = await Promise.all(Array.from({ length: 20 }, () => newPerson({ org: "Shifts" })));
  // In the order in which they will come: somebody who signed in earlier would take a place between them.
  const signed: ApiPerson[] = [];
  for (const person of people) signed.push(await client(person));
  await enter(page, admin, "/admin/live");
  await page.evaluate(() => {
    const shifts: string[] = [];
    Object.assign(window, { shifts });
    type Shift = PerformanceEntry & { value: number; sources: { node: Node | null }[] };
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as Shift[]) {
        const inside = entry.sources.filter((s) => (s.node as Element)?.parentElement?.closest("table"));
        if (inside.length > 0) shifts.push(`${entry.value} of ${(inside[0]?.node as Element)?.textContent}`);
      }
    }).observe({ type: "layout-shift" });
  });

  for (let round = 0; round < 3; round += 1) {
    const tabs = [];
    for (const [i, person] of signed.entries()) {
      tabs.push(await person.connect({ page: `/a/rather/long/page/name/${round}/${i}`, visible: true, idle_ms: 0 }));
    }
    for (const person of people) await expect(stateOf(page, person.name)).toHaveText("Active");
    for (const [i, tab] of tabs.entries()) await tab.meta({ page: `/p/${i}`, visible: i % 2 === 0, idle_ms: i * 500 });
    for (const tab of tabs) tab.close();
    for (const person of people.slice(0, 5)) await expect(stateOf(page, person.name)).toHaveText(/^Left/);
  }
  const api = await client(admin);
  const truth = await api.online();
  await within(GRACE + SECOND, "the right number", async () => (await online(page)) === truth.counts.online);
  expect(await page.evaluate(() => (window as unknown as { shifts: string[] }).shifts)).toEqual([]);
});

test("the title says what is shown, and pages can be filtered", async ({ page, browser, client, server, admin, newPerson }) => {
  const [here, there] = [await newPerson({ org: "Titles" }), await newPerson({ org: "Titles" })];
  await (await client(here)).connect({ page: "/orders/7", visible: true, idle_ms: 0 });
  await (await client(there)).connect({ page: "/stock", visible: true, idle_ms: 0 });
  await enter(page, admin, "/admin/live?org=Titles");
  await expect(page).toHaveTitle("Titles · Live · Rollcall");
  await expect(rowOf(page, there.name)).toBeVisible();
  const filter = page.getByRole("textbox", { name: "Page" });
  await filter.fill("Orders");
  await expect(page).toHaveURL(/page=Orders/);
  await expect.poll(() => names(page)).toEqual([here.name]);
  await expect(page).toHaveTitle("Titles · Orders · Live · Rollcall");
  await page.getByRole("link", { name: "Clear", exact: true }).click();
  await expect(page).toHaveTitle("Live · Rollcall");
  await expect(filter).toHaveValue("");
  await page.getByRole("link", { name: "Overview" }).click();
  await expect(page).toHaveTitle("Overview · Rollcall");
  await page.goBack();
  await expect(page).toHaveTitle("Live · Rollcall");

  const plain = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
  const bare = await plain.newPage();
  await enter(bare, admin);
  await bare.goto("/admin/live");
  await bare.getByRole("textbox", { name: "Page" }).fill("/orders");
  await bare.getByRole("button", { name: "Apply" }).click();
  await expect(bare).toHaveTitle("/orders · Live · Rollcall");
  expect(await names(bare)).toEqual([here.name]);
  await bare.goto("/admin/live?back=57");
  await expect(bare).toHaveTitle("57 min ago · Live · Rollcall");
  await plain.close();
});
