// What a person does in a browser, by the names an outsider would use.

import { expect, type Locator, type Page } from "@playwright/test";
import type { Person } from "./roster";

/** Waits until the browser's code has taken the page over; before that it works as plain HTML. */
export async function hydrated(page: Page): Promise<void> {
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
}

/** Waits until the page is pushed changes: its socket is open and joined. */
export async function live(page: Page): Promise<void> {
  await expect(page.locator("html[data-live=live]")).toBeAttached();
}

/** Fills the sign-in form and sends it. */
export async function fillSignIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Signs in through the form and waits until the page after it is there. */
export async function signIn(page: Page, person: Person): Promise<void> {
  await page.goto("/login");
  await fillSignIn(page, person.username, person.password);
  await expect(page).not.toHaveURL(/\/login/);
}

/** Gives the page's browser a session without the form, where signing in is not what is tested. */
export async function enter(page: Page, person: Person, path?: string): Promise<void> {
  const { username, password } = person;
  const answer = await page.context().request.post("/api/v1/auth/login", { data: { username, password } });
  expect(answer.status(), await answer.text()).toBe(200);
  if (path !== undefined) {
    await page.goto(path);
    await live(page);
  }
}

/** Signs out through the page's own button. */
export async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/login/);
}

/** The table of the live page. */
export function peopleOnline(page: Page): Locator {
  return page.getByRole("table", { name: "People online" });
}

/** A person's row in it. */
export function rowOf(page: Page, name: string): Locator {
  return peopleOnline(page)
    .getByRole("row")
    .filter({ has: page.getByRole("rowheader", { name, exact: true }) });
}

/** The cell that says a person's state. */
export function stateOf(page: Page, name: string): Locator {
  return rowOf(page, name).getByRole("cell").first();
}

/** Opens a person's drawer by their row. */
export async function openDrawer(page: Page, name: string): Promise<Locator> {
  await rowOf(page, name).getByRole("link").click();
  const drawer = page.getByRole("complementary", { name });
  await expect(drawer).toBeVisible();
  return drawer;
}
