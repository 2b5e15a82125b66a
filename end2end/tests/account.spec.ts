// One's own account: password, devices, status.

import { enter, fillSignIn, hydrated, live, rowOf, stateOf } from "../support/person";
import { expect, test } from "../support/test";
import { SECOND, within } from "../support/within";

const SUDO_FOR = 2 * SECOND;

test.use({ settings: { ROLLCALL_SUDO_FOR: "2s", ROLLCALL_GRACE: "1s" } });

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

test("a changed password ends the other devices and keeps this one", async ({
  page,
  visitor,
  newPerson,
  complaints,
}) => {
  complaints.allowStatus(403);
  complaints.allowStatus(422);
  complaints.allowStatus(401);
  const person = await newPerson();
  const other = await visitor();
  await enter(other, person, "/");
  await enter(page, person, "/account");

  const [current, fresh] = [page.getByLabel("Current password"), page.getByLabel("New password")];
  const change = page.getByRole("button", { name: "Change password" });
  await current.fill("not the right words 7");
  await fresh.fill("another nine harbours 58");
  await change.click();
  await expect(page.getByRole("alert")).toBeFocused();
  await expect(current).toHaveAttribute("aria-invalid", "true");
  await current.fill(person.password);
  await fresh.fill("password1234");
  await change.click();
  await expect(fresh).toHaveAttribute("aria-invalid", "true");
  await expect(current).not.toHaveAttribute("aria-invalid", "true");

  await fresh.fill("another nine harbours 58");
  await change.click();
  const out = other.getByRole("alertdialog", { name: "You are signed out" });
  await within(2 * SECOND, "the other device", () => out.isVisible());
  await expect(out).toContainText("The password was changed.");
  await expect(page.getByText("Your password is changed. This device stays signed in.")).toBeVisible();
  await expect(current).toHaveValue("");
  // This device goes on with a new token: its socket as well as its next page.
  await page.reload();
  await live(page);

  await out.getByRole("link", { name: "Sign in" }).click();
  await hydrated(other);
  await fillSignIn(other, person.username, person.password);
  await expect(other.getByRole("alert")).toBeVisible();
  await other.getByLabel("Username").fill(person.username);
  await fillSignIn(other, person.username, "another nine harbours 58");
  await expect(other.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
});

test("one ends a device of one's own, after giving the password again", async ({
  page,
  visitor,
  newPerson,
  complaints,
}) => {
  complaints.allowStatus(401);
  complaints.allowStatus(403);
  const person = await newPerson();
  const [first, second] = [await visitor({ userAgent: FIREFOX }), await visitor()];
  await enter(first, person, "/");
  await enter(second, person, "/");
  await enter(page, person, "/account/devices");

  const table = page.getByRole("table", { name: "Signed in on 3 devices" });
  await expect(table).toBeVisible();
  const here = table.getByRole("row").filter({ hasText: "This device" });
  await expect(here).toHaveCount(1);
  await expect(here.getByRole("button")).toHaveCount(0);
  await expect(here).toContainText("127.0.0.1");

  // The sign-in counted as the password for two seconds.
  await page.waitForTimeout(SUDO_FOR);
  await table.getByRole("button", { name: "End Firefox on Linux" }).click();
  const sudo = page.getByRole("dialog", { name: "Confirm it is you" });
  await expect(sudo).toBeVisible();
  await expect(first.getByRole("alertdialog")).toBeHidden();
  await sudo.getByLabel("Password").fill("not the right words 7");
  await sudo.getByRole("button", { name: "Confirm" }).click();
  await expect(sudo.getByRole("alert")).toBeVisible();
  await sudo.getByLabel("Password").fill(person.password);
  await sudo.getByRole("button", { name: "Confirm" }).click();
  await expect(sudo).toBeHidden();
  const out = first.getByRole("alertdialog", { name: "You are signed out" });
  await within(2 * SECOND, "the ended device", () => out.isVisible());
  await expect(page.getByRole("table", { name: "Signed in on 2 devices" })).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: "Firefox on Linux is signed out." })).toBeVisible();

  await page.waitForTimeout(SUDO_FOR);
  await page.getByRole("button", { name: "End all others" }).click();
  await expect(sudo.getByLabel("Password")).toHaveValue("");
  await sudo.getByLabel("Password").fill(person.password);
  await page.keyboard.press("Enter");
  await expect(second.getByRole("alertdialog", { name: "You are signed out" })).toBeVisible();
  await expect(page.getByRole("table", { name: "Signed in on 1 device" })).toBeVisible();
  await expect(page.getByRole("button", { name: "End all others" })).toHaveCount(0);
  // The token changed twice: the page still works, and so does a new one.
  await page.reload();
  await live(page);
});

test("a chosen status is seen by an administrator, with its message", async ({ page, visitor, admin, newPerson }) => {
  const person = await newPerson();
  await enter(page, admin, "/admin/live");
  const theirs = await visitor();
  await enter(theirs, person, "/");
  await expect(stateOf(page, person.name)).toHaveText("Active");

  await theirs.getByRole("radio", { name: /^Busy/ }).check();
  await theirs.getByLabel("Message").fill("In a lesson until four");
  await theirs.getByLabel("How long").selectOption({ label: "for 1 hour" });
  await theirs.getByRole("button", { name: "Set status" }).click();
  await within(2 * SECOND, "busy", async () => (await stateOf(page, person.name).innerText()) === "Busy");
  await expect(rowOf(page, person.name)).toContainText("In a lesson until four");
  await expect(theirs.getByRole("status").filter({ hasText: "Your status is set." })).toBeVisible();
  await expect(theirs.getByText(/^Holds until/)).toBeVisible();

  // A reload knows it, and another tab of the same person too.
  await theirs.reload();
  await expect(theirs.getByRole("radio", { name: /^Busy/ })).toBeChecked();
  await live(theirs);
  await theirs.getByRole("radio", { name: /^Automatic/ }).check();
  await theirs.getByRole("button", { name: "Set status" }).click();
  await expect(stateOf(page, person.name)).toHaveText("Active");
});

test("somebody invisible is marked for administrators", async ({ page, client, visitor, admin, newPerson }) => {
  const person = await newPerson();
  await enter(page, admin, "/admin/live");
  const theirs = await visitor();
  await enter(theirs, person, "/");
  await theirs.getByRole("radio", { name: /^Invisible/ }).check();
  await theirs.getByRole("button", { name: "Set status" }).click();
  await expect(rowOf(page, person.name)).toContainText(/invisible/i);
  const api = await client(admin);
  const seen = (await api.online()).users.find((u) => u.username === person.username);
  expect(seen).toMatchObject({ invisible: true });
});
