// The end of a session by time: announced a minute before, put off by whoever is there, carried out on time.

import { ApiPerson } from "../support/api";
import { check } from "../support/axe";
import { enter } from "../support/person";
import { expect, test } from "../support/test";
import { SECOND, within } from "../support/within";

/** A minute is the warning; the rest is what the test waits for. */
const QUIET = 4 * SECOND;

test.use({ settings: { ROLLCALL_SESSION_IDLE: "64s" } });

test("a minute before the end it is announced, and one may stay", async ({ page, newPerson }) => {
  const person = await newPerson();
  await enter(page, person, "/");
  const warning = page.getByRole("alertdialog", { name: "This session ends soon" });
  await expect(warning).toBeHidden();
  await within(QUIET + 2 * SECOND, "the warning", () => warning.isVisible());
  await expect(warning).toContainText(/signed out for inactivity in 5\d s/);
  const stay = warning.getByRole("button", { name: "Stay signed in" });
  await expect(stay).toBeFocused();
  await check(page, "the warning");

  await page.keyboard.press("Enter");
  await expect(warning).toBeHidden();
  await expect(page.getByRole("status").filter({ hasText: "You stay signed in." })).toBeVisible();
  const answer = await page.context().request.get("/api/v1/session");
  const { session } = (await answer.json()) as { session: { expires_at: string } };
  expect(Date.parse(session.expires_at) - Date.now()).toBeGreaterThan(60 * SECOND);
});

test("the warning closes by Esc and does not come back for the same end", async ({ page, newPerson }) => {
  await enter(page, await newPerson(), "/account");
  const warning = page.getByRole("alertdialog", { name: "This session ends soon" });
  await expect(warning).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(warning).toBeHidden();
});

test("the longest time of a session is announced, and nobody can put it off", async ({ page, fresh }) => {
  const server = await fresh({ ROLLCALL_SESSION_IDLE: "64s", ROLLCALL_SESSION_MAX: "64s" });
  const person = { username: "uma", name: "Uma Rao", password: "seven calm harbours 41" };
  await server.addUser(person);
  await page.context().request.post(`${server.url}/api/v1/auth/login`, {
    data: { username: person.username, password: person.password },
  });
  await page.goto(`${server.url}/account`);
  const warning = page.getByRole("alertdialog", { name: "This session ends soon" });
  await within(QUIET + 2 * SECOND, "the warning", () => warning.isVisible());
  await expect(warning).toContainText(/reaches its longest time and ends in 5\d s/);
  await expect(warning.getByRole("button", { name: "Stay signed in" })).toBeHidden();
  await check(page, "the warning");
  await page.keyboard.press("Escape");
  await expect(warning).toBeHidden();
});

test("who does nothing is signed out on time and told why", async ({ page, fresh, complaints }) => {
  complaints.allowStatus(401);
  const server = await fresh({ ROLLCALL_SESSION_IDLE: "5s" });
  const person = { username: "ida", name: "Ida Rhodes", password: "seven calm harbours 41" };
  await server.addUser(person);
  const answer = await page.context().request.post(`${server.url}/api/v1/auth/login`, {
    data: { username: person.username, password: person.password },
  });
  expect(answer.status()).toBe(200);
  await page.goto(`${server.url}/account/devices`);
  const opened = performance.now();
  const ended = page.getByRole("alertdialog", { name: "You are signed out" });
  await within(6 * SECOND, "the end", () => ended.isVisible());
  expect(performance.now() - opened).toBeGreaterThan(3 * SECOND);
  await expect(ended).toContainText(/You were signed out after 5 s(econds)? of inactivity\./);
  await expect(page.getByRole("alertdialog", { name: "This session ends soon" })).toBeHidden();
  await check(page, "the end");
  await ended.getByRole("link", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/login\?next=%2Faccount%2Fdevices$/);
  // A sign-in at the same place goes on where one was.
  await page.getByLabel("Username").fill(person.username);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/account\/devices$/);
  await ApiPerson.signIn(server, person);
});
