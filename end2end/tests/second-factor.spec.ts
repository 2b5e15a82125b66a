// The second factor: set up, asked for at the sign-in and with the password, turned off; by keyboard.

import { check } from "../support/axe";
import { enter, fillSignIn, hydrated, signOut } from "../support/person";
import { expect, test } from "../support/test";
import { code } from "../support/totp";

/** Long enough to set it up within, short enough to wait for its end. */
const SUDO_MS = 20_000;

test.use({ settings: { ROLLCALL_SUDO_FOR: `${SUDO_MS}ms` } });

test("one sets it up, signs in with a code and turns it off", async ({ page, newPerson, complaints }) => {
  test.slow();
  complaints.allowStatus(401);
  complaints.allowStatus(403);
  const person = await newPerson();
  await enter(page, person, "/account");
  await page.getByRole("link", { name: "Manage" }).click();
  await expect(page.getByRole("heading", { name: "Second factor", level: 1 })).toBeVisible();
  await page.getByRole("button", { name: "Set it up" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("img", { name: "QR code of the key" })).toBeVisible();
  const key = await page.locator("code").innerText();
  await page.getByRole("textbox", { name: "Code" }).fill("000000");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toBeFocused();
  await page.getByRole("textbox", { name: "Code" }).fill(code(key));
  await page.keyboard.press("Enter");
  const codes = page.getByRole("list", { name: "Back-up codes" }).getByRole("listitem");
  await expect(codes).toHaveCount(10);
  const backup = await codes.allInnerTexts();
  await check(page, "back-up codes");
  await page.getByRole("link", { name: "I have kept them" }).click();
  await expect(page.getByText("10 back-up codes left.")).toBeVisible();
  await check(page, "second factor, on");

  await signOut(page);
  await hydrated(page);
  await fillSignIn(page, person.username, person.password);
  await expect(page.getByRole("heading", { name: "Enter your code" })).toBeVisible();
  await hydrated(page);
  await check(page, "second step");
  await page.getByRole("textbox", { name: "Code" }).fill("not a code");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByRole("textbox", { name: "Code" }).fill(backup[0] ?? "");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();

  // Later the password is asked for again, and a code with it.
  await page.goto("/account/second-factor");
  await hydrated(page);
  await page.waitForTimeout(SUDO_MS);
  await page.getByRole("button", { name: "Turn off" }).click();
  await page.getByRole("dialog", { name: "Turn the second factor off?" }).getByRole("button", { name: "Turn off" }).click();
  const sudo = page.getByRole("dialog", { name: "Confirm it is you" });
  await sudo.getByLabel("Password").fill(person.password);
  await page.keyboard.press("Enter");
  await sudo.getByRole("textbox", { name: "Code" }).fill(backup[1] ?? "");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Set it up" })).toBeVisible();
  await check(page, "second factor, off");
});
