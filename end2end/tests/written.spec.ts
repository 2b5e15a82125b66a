// Pages that the server alone writes: how one goes from one to the next, and how they filter. The list of sessions
// stands for all of them.

import { check } from "../support/axe";
import { enter, hydrated } from "../support/person";
import { expect, test } from "../support/test";

test("one goes there without a new document, filters while typing, and goes back", async ({ page, admin, client, newPerson }) => {
  const person = await newPerson();
  await client(person);
  await enter(page, admin, "/admin");
  await page.evaluate(() => Object.assign(window, { same: true }));
  await page.getByRole("link", { name: "Sessions", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Sessions", level: 1 })).toBeVisible();
  await expect(page).toHaveTitle(/^Sessions · /);
  const table = page.getByRole("table", { name: "Sessions" });
  await expect(table.getByRole("rowheader", { name: person.name })).toBeVisible();
  await check(page, "sessions");

  // By keyboard: the field is found by its key, and keeps the focus while the list below it changes.
  await page.keyboard.press("/");
  const filter = page.getByRole("searchbox", { name: "Find a person or an address" });
  await expect(filter).toBeFocused();
  await page.keyboard.type(person.username);
  await expect(page).toHaveURL(new RegExp(`q=${person.username}$`));
  await expect(table.getByRole("rowheader")).toHaveCount(1);
  await expect(filter).toBeFocused();
  await page.getByRole("combobox", { name: "State" }).selectOption("ended");
  await expect(page.getByText("No sessions match these 2 filters.")).toBeVisible();
  await page.getByRole("link", { name: "Clear filters" }).click();
  await expect(table.getByRole("rowheader").nth(1)).toBeVisible();
  await expect(filter).toHaveValue("");

  await page.goBack();
  await expect(filter).toHaveValue(person.username);
  await expect(page.getByText("No sessions match these 2 filters.")).toBeVisible();
  expect(await page.evaluate(() => "same" in window)).toBe(true);

  // What is not there says so, and the way on is open.
  await page.goto("/admin/sessions?sort=activity");
  await hydrated(page);
  await expect(page.getByRole("columnheader", { name: "Last activity" })).toHaveAttribute("aria-sort", "descending");
});

test("an address that is none says so inside the frame", async ({ page, admin, complaints }) => {
  complaints.allowStatus(404);
  await enter(page, admin, "/admin");
  const answer = await page.goto("/admin/nothing");
  expect(answer?.status()).toBe(404);
  await hydrated(page);
  await expect(page.getByRole("heading", { name: "There is nothing here" })).toBeVisible();
  await page.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByRole("heading", { name: "Overview", level: 1 })).toBeVisible();
});

test("filtering works without scripts", async ({ browser, server, admin }) => {
  const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
  const page = await context.newPage();
  await enter(page, admin);
  await page.goto("/admin/sessions");
  await page.getByRole("searchbox").fill("nobody of this name");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page).toHaveURL(/q=nobody/);
  await expect(page.getByText("No sessions match this filter.")).toBeVisible();
  await context.close();
});

test("on a phone the rest of the pages is behind More", async ({ page, admin }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await enter(page, admin, "/admin");
  await expect(page.getByRole("link", { name: "Devices" })).toBeHidden();
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("link", { name: "Devices" }).click();
  await expect(page.getByRole("heading", { name: "Devices", level: 1 })).toBeVisible();
  await expect(page.getByRole("link", { name: "Devices" })).toBeHidden();
});

test("what one opens stays open while the page below it is put right", async ({ page, admin, newPerson, client }) => {
  const person = await newPerson();
  await client(person);
  await enter(page, admin, `/admin/sessions?user=${person.username}`);
  const asked = page.waitForRequest("**/rpc/page");
  let answer = () => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  await page.route("**/rpc/page", async (route) => {
    await held;
    await route.continue();
  });
  // The list is asked for anew, and before it is there one has gone on.
  await page.getByRole("combobox", { name: "State" }).selectOption("live");
  await asked;
  const open = page.getByRole("button", { name: /^End .* that match/ });
  await open.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  const answered = page.waitForResponse("**/rpc/page");
  answer();
  await (await answered).finished();
  await expect(page).toHaveURL(/state=live/);
  await expect(dialog).toBeVisible();
  const again = page.waitForResponse("**/rpc/page");
  await page.keyboard.press("Escape");
  await (await again).finished();
  await expect(dialog).toBeHidden();
  await expect(open).toBeFocused();
});
