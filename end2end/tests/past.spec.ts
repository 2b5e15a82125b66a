// Who was here before: the slider of the live page, and a person's day in the drawer.

import { check } from "../support/axe";
import { enter, hydrated, live, openDrawer } from "../support/person";
import { expect, test } from "../support/test";
import { SECOND, within } from "../support/within";

test.use({ settings: { ROLLCALL_GRACE: "1s" } });

test("a moment gone by has its people, and now has others", async ({ page, admin, client, newPerson }) => {
  const person = await newPerson({ org: "North" });
  const theirs = await client(person);
  const tab = await theirs.connect({ page: "/orders", visible: true, idle_ms: 0 });
  await enter(page, admin, "/admin/live");
  await expect(page.getByText(/^2 online$/)).toBeVisible();
  const then = new Date().toISOString();
  tab.close();
  await theirs.signOut();
  await expect(page.getByText(/^1 online$/)).toBeVisible();

  await page.goto(`/admin/live?to=${encodeURIComponent(then)}&back=0`);
  await hydrated(page);
  const table = page.getByRole("table", { name: /2 people at/ });
  const row = table.getByRole("row").filter({ has: page.getByRole("rowheader", { name: person.name }) });
  await expect(row).toContainText("Active");
  await expect(row).toContainText("Signed in");
  await check(page, "a moment gone by");

  await page.getByRole("link", { name: "Back to now" }).click();
  await live(page);
  await page.getByRole("link", { name: "Earlier" }).click();
  const slider = page.getByRole("slider", { name: "Who was here" });
  await expect(slider).toHaveAttribute("aria-valuetext", "1 h 00 min ago");
  await expect(page.getByText("Nobody was here then, as far as is remembered.")).toBeVisible();
  // To the end, by keyboard: now, when only the administrator is here.
  await slider.focus();
  await page.keyboard.press("Home");
  await expect(page.getByRole("heading", { name: /^1 person at/ })).toBeVisible();
  await expect(slider).toBeFocused();
  await expect(page).toHaveURL(/back=0$/);
});

test("the slider works without scripts", async ({ browser, server, admin }) => {
  const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
  const page = await context.newPage();
  await enter(page, admin);
  await page.goto("/admin/live?back=30");
  await expect(page.getByText("Nobody was here then, as far as is remembered.")).toBeVisible();
  await page.getByRole("slider", { name: "Who was here" }).fill("45");
  await page.getByRole("button", { name: "Show" }).click();
  await expect(page).toHaveURL(/back=45/);
  await context.close();
});

test("the drawer shows a person's day", async ({ page, admin, client, newPerson }) => {
  const person = await newPerson();
  const theirs = await client(person);
  await theirs.connect({ page: "/orders", visible: true, idle_ms: 0 });
  await enter(page, admin, "/admin/live");
  const drawer = await openDrawer(page, person.name);
  await within(5 * SECOND, "the day", async () => (await drawer.getByRole("img", { name: /UTC: active/ }).count()) === 1);
  await check(page, "a person's day");
});
