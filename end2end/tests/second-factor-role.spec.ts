// A role that asks for a second factor: one is led to set it up, and nothing else works before.

import { check } from "../support/axe";
import { enter, fillSignIn, hydrated } from "../support/person";
import { expect, test } from "../support/test";
import { code } from "../support/totp";

test.use({ settings: { ROLLCALL_SECOND_FACTOR_ROLES: "teacher" } });

test("one is led to set it up, and everything opens", async ({ page, newPerson, complaints }) => {
  complaints.allowStatus(403);
  const person = await newPerson({ role: "teacher" });
  await page.goto("/login?next=/account/devices");
  await fillSignIn(page, person.username, person.password);
  await expect(page).toHaveURL(/\/account\/second-factor$/);
  await hydrated(page);
  await expect(page.getByText("Your role asks for a second factor.")).toBeVisible();
  await check(page, "second factor is wanted");
  await page.goto("/account");
  await expect(page).toHaveURL(/\/account\/second-factor$/);
  await hydrated(page);
  // By the links of the frame too.
  await page.getByRole("link", { name: "Devices" }).first().click();
  await expect(page.getByText("Your role asks for a second factor.")).toBeVisible();
  await hydrated(page);
  await page.getByRole("button", { name: "Set it up" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Code" }).fill(code(await page.locator("code").innerText()));
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "I have kept them" }).click();
  await expect(page.getByText("10 back-up codes left.")).toBeVisible();
  await page.getByRole("link", { name: "Back to your account" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Account" })).toBeVisible();
});

test("the page of roles says which ask for one", async ({ page, admin }) => {
  await enter(page, admin, "/admin/roles");
  await expect(page.getByRole("row", { name: /^Teacher/ })).toContainText("Required");
  await expect(page.getByRole("row", { name: /^Student/ })).toContainText("Optional");
  await check(page, "roles");
  await page.getByRole("link", { name: "Choose the roles" }).click();
  await expect(page.getByText("Fixed by ROLLCALL_SECOND_FACTOR_ROLES")).toBeVisible();
});
