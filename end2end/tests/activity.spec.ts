// What people did: told by the pages themselves, followed live, filtered by the address, taken out.

import { readFile } from "node:fs/promises";
import { check } from "../support/axe";
import { enter, live } from "../support/person";
import { expect, test } from "../support/test";

test("somebody reads what they did", async ({ page, newPerson }) => {
  const person = await newPerson({});
  await enter(page, person, "/");
  await page.getByRole("link", { name: "My activity" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "My activity" })).toBeVisible();
  const journey = page.getByRole("table", { name: "What you did, newest first" });
  await expect(journey.getByRole("row").filter({ hasText: "Signed in" })).toHaveCount(1);
  // The page before told that it was opened.
  await expect(async () => {
    await page.reload();
    await expect(journey.getByRole("row").filter({ hasText: /Page view\/activity/ }).first()).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await check(page, "my activity");
  await page.getByRole("link", { name: "Home" }).click();
  await expect(page.getByRole("link", { name: /page views?, / })).toHaveAttribute("href", "/activity");
});

test("an administrator follows it live, pauses and filters", async ({ page, client, admin, newPerson }) => {
  const person = await newPerson({ name: "Mia Okafor" });
  await enter(page, admin, `/admin/activity?user=${person.username}`);
  const table = page.getByRole("table", { name: "Activity" });
  await expect(page.getByText("No events match this filter.")).toBeVisible();
  const mia = await client(person);
  await expect(table.getByRole("row").filter({ hasText: "Signed in" })).toHaveCount(1);

  const pause = page.getByRole("button", { name: "Pause" });
  await pause.focus();
  await page.keyboard.press("Enter");
  await expect(pause).toHaveAttribute("aria-pressed", "true");
  await mia.signOut();
  await page.waitForTimeout(1_500);
  await expect(table.getByRole("row").filter({ hasText: "Signed out" })).toHaveCount(0);
  await pause.click();
  await expect(table.getByRole("row").filter({ hasText: "Signed out" })).toHaveCount(1);

  await page.getByText("JSON", { exact: true }).first().click();
  await expect(page.getByText(`"username": "${person.username}"`).first()).toBeVisible();
  await check(page, "activity, with an event as JSON");
  await page.getByLabel("Kind").selectOption({ label: "Signed in" });
  await expect(page).toHaveURL(/kind=login/);
  await expect(table.getByRole("rowheader")).toHaveCount(1);
  await page.getByRole("link", { name: "Clear" }).click();
  await expect(page).toHaveURL(/\/admin\/activity$/);
});

test("what is shown is taken out", async ({ page, admin, newPerson, client }) => {
  const person = await newPerson({});
  await (await client(person)).signOut();
  await enter(page, admin, `/admin/activity?user=${person.username}`);
  for (const [name, file, says] of [
    ["Export these filters as CSV", "rollcall-activity.csv", /^seq,id,at,kind,[^]*,logout,[^]*,login,/],
    ["As JSON Lines", "rollcall-activity.jsonl", /"kind":"logout"[^]*\n.*"kind":"login"/],
    ["As XLSX", "rollcall-activity.xlsx", /^PK/],
  ] as const) {
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name }).click();
    const taken = await download;
    expect(taken.suggestedFilename()).toBe(file);
    expect(await readFile(await taken.path(), "latin1")).toMatch(says);
  }
});

test("it works without scripts", async ({ visitor, admin, newPerson, client }) => {
  const person = await newPerson({});
  await client(person);
  const page = await visitor({ javaScriptEnabled: false });
  await page.context().request.post("/api/v1/auth/login", { data: { username: admin.username, password: admin.password } });
  await page.goto("/admin/activity");
  await page.getByRole("searchbox", { name: "Username" }).fill(person.username);
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByRole("table", { name: "Activity" }).getByRole("rowheader")).toHaveCount(1);
});
