// The audit log: what was done can be read, filtered, verified and taken away.

import { readFile } from "node:fs/promises";
import { check } from "../support/axe";
import { enter, live, signIn } from "../support/person";
import { expect, test } from "../support/test";

test.use({ settings: { ROLLCALL_SUDO_FOR: "4s" } });

test("an administrator reads, filters and verifies it", async ({ page, client, admin, newPerson }) => {
  const person = await newPerson({ name: "Mia Okafor" });
  await (await client(person)).signOut();
  await enter(page, admin, "/admin/audit");
  await expect(page.getByRole("heading", { level: 1, name: "Audit log" })).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Audit log" })).toHaveAttribute("aria-current", "page");
  const table = page.getByRole("table", { name: "Audit log" });
  await expect(table.getByRole("row").filter({ hasText: person.username }).first()).toBeVisible();
  // Exact to the second.
  await expect(table.getByRole("time").first()).toHaveText(/^\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d:\d\d$/);

  await page.getByRole("searchbox", { name: "Find a name, an address or a detail" }).fill(person.username);
  await expect(page).toHaveURL(/q=/);
  await page.getByLabel("Action").selectOption({ label: "sign out" });
  await expect(table.getByRole("rowheader")).toHaveCount(1);
  await expect(table.getByRole("row").nth(1)).toContainText("Sign out");
  await page.getByRole("link", { name: "Clear" }).click();
  await expect(page).toHaveURL(/\/admin\/audit$/);

  // By the keyboard alone.
  const verify = page.getByRole("button", { name: "Verify" });
  await verify.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").filter({ hasText: /\d+ entries, unbroken since \d/ })).toBeVisible();
  await check(page, "audit log, verified");
  await table.getByRole("link", { name: person.username }).first().click();
  await expect(page).toHaveURL(new RegExp(`(actor|subject)=${person.username}`));
  await page.goto("/admin/audit?q=nothing-like-this");
  await live(page);
  await expect(page.getByText("No entries match this filter.")).toBeVisible();
  await check(page, "audit log, nothing found");
});

test("an export asks for the password and is on record", async ({ page, admin, complaints }) => {
  complaints.allowStatus(403);
  await signIn(page, admin);
  await page.waitForTimeout(4_100);
  await page.goto("/admin/audit");
  await live(page);
  await page.getByRole("button", { name: "Export" }).click();
  const dialog = page.getByRole("dialog", { name: "Confirm it is you" });
  await dialog.getByLabel("Password").fill(admin.password);
  await page.keyboard.press("Enter");
  const link = page.getByRole("link", { name: "Export everything as CSV" });
  const download = page.waitForEvent("download");
  await link.click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("rollcall-audit.csv");
  expect(await readFile(await file.path(), "utf8")).toContain("seq,at,actor,action,");
  await page.reload();
  await expect(page.getByRole("row").nth(1)).toContainText("Audit exported");
});

test("a manager is told that it is not for them", async ({ page, newPerson, complaints }) => {
  complaints.allowStatus(403);
  const manager = await newPerson({ role: "manager", org: "North" });
  await enter(page, manager);
  await page.goto("/admin/audit");
  await expect(page.getByRole("heading", { level: 1, name: "Not for your role" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Audit log" })).toHaveCount(0);
});
