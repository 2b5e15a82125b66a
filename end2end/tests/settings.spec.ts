// Settings at run time: found, changed by keyboard, reviewed before they end sessions. And the sessions they are about:
// filtered, counted, ended.

import { check } from "../support/axe";
import { enter, hydrated } from "../support/person";
import { expect, test } from "../support/test";

test("a setting is changed, and what would end is shown before", async ({ page, admin, client, newPerson, complaints }) => {
  complaints.allowStatus(422);
  const person = await newPerson();
  await client(person);
  await client(person);
  await enter(page, admin, "/admin");
  await page.getByRole("link", { name: "Settings" }).click();
  await expect(page.getByRole("heading", { name: "Settings", level: 1 })).toBeVisible();
  await check(page, "settings");

  const grace = page.getByLabel("Grace after a lost connection");
  await grace.fill("soon");
  await page.getByRole("button", { name: "Save Presence" }).press("Enter");
  await expect(page.getByRole("alert")).toBeFocused();
  await expect(grace).toHaveAttribute("aria-invalid", "true");
  await grace.fill("20s");
  await page.getByRole("button", { name: "Save Presence" }).press("Enter");
  await expect(page.getByText(/changed .* by/)).toBeVisible();
  await expect(grace).toHaveValue("20s");

  await page.getByLabel("Sessions per person").fill("1");
  await page.getByRole("button", { name: "Save Sessions" }).press("Enter");
  const review = page.getByRole("region", { name: "Before this is saved" });
  await expect(review).toContainText("10 becomes 1");
  await expect(review).toContainText(person.name);
  await check(page, "settings, review");
  await review.getByRole("button", { name: /^Save and end \d+ sessions?$/ }).press("Enter");
  await expect(page).toHaveURL(/\/admin\/settings$/);
  await expect(page.getByLabel("Sessions per person")).toHaveValue("1");
  await page.getByLabel("Sessions per person").fill("");
  await page.getByRole("button", { name: "Save Sessions" }).press("Enter");
  await expect(page.getByLabel("Sessions per person")).toHaveValue("10");
});

test("on a phone settings and sessions fit", async ({ page, admin }) => {
  await enter(page, admin);
  for (const path of ["/admin/settings", "/admin/sessions"]) {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(path);
    await hydrated(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await check(page, `${path} on a phone`);
  }
});

test("everything that matches ends after its number was shown and a word typed", async ({ page, admin, client, newPerson, complaints }) => {
  complaints.allowStatus(422);
  const person = await newPerson();
  await client(person);
  await client(person);
  await enter(page, admin, `/admin/sessions?user=${person.username}`);
  await hydrated(page);
  await page.getByRole("button", { name: "End 2 live sessions that match" }).press("Enter");
  const dialog = page.getByRole("dialog", { name: "End 2 sessions?" });
  await expect(dialog).toContainText("Undo is impossible");
  await check(page, "end everything");
  await dialog.getByLabel("Type “end” to confirm").fill("stop");
  await page.keyboard.press("Enter");
  await expect(dialog.getByRole("alert")).toBeFocused();
  await dialog.getByLabel("Type “end” to confirm").fill("end");
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("status").filter({ hasText: "2 sessions ended." })).toBeAttached();
  await expect(page.getByRole("button", { name: /that match/ })).toHaveCount(0);
  await expect(page.getByRole("cell", { name: /^Revoked/ })).toHaveCount(2);
});

test("ticked sessions end", async ({ page, admin, client, newPerson }) => {
  const person = await newPerson();
  await client(person);
  await client(person);
  await enter(page, admin, `/admin/sessions?user=${person.username}`);
  await hydrated(page);
  await page.getByRole("checkbox", { name: new RegExp(person.name) }).first().check();
  await page.getByRole("button", { name: "End 1 selected" }).press("Enter");
  const dialog = page.getByRole("dialog", { name: "End the selected sessions?" });
  await expect(dialog).toContainText("Selected: 1.");
  await expect(dialog).toContainText("Undo is impossible");
  await check(page, "end selected");
  await dialog.getByRole("button", { name: "End 1 now" }).press("Enter");
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("cell", { name: /^Revoked/ })).toHaveCount(1);
});
