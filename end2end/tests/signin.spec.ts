// The door: signing in and out, with the keyboard alone, by a plain form, and to the page that was wanted.

import {
  fillSignIn,
  hydrated,
  live,
  openDrawer,
  peopleOnline,
  rowOf,
  signIn,
  signOut,
  stateOf,
} from "../support/person";
import { expect, test } from "../support/test";

test("the keyboard alone signs in and out", async ({ page, newPerson }) => {
  const person = await newPerson();
  await page.goto("/login");
  await hydrated(page);
  await expect(page).toHaveTitle(/Sign in/);
  await expect(page.getByLabel("Username")).toBeFocused();
  await page.keyboard.type(person.username);
  await page.keyboard.press("Tab");
  await expect(page.getByLabel("Password", { exact: true })).toBeFocused();
  await page.keyboard.type(person.password);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  await live(page);

  await page.getByRole("button", { name: "Sign out" }).focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/login/);
  await expect(page.getByText("You are signed out.")).toBeVisible();
  await page.goto("/account");
  await expect(page).toHaveURL(/\/login\?next=%2Faccount$/);
});

test("a wrong password and an unknown name are answered alike", async ({ page, newPerson, complaints }) => {
  complaints.allowStatus(401);
  const person = await newPerson();
  await page.goto("/login");
  await hydrated(page);

  const said: string[] = [];
  for (const username of [person.username, "nobody.at.all"]) {
    await fillSignIn(page, username, "not the right words 7");
    const alert = page.getByRole("alert");
    await expect(alert).toBeFocused();
    said.push(await alert.innerText());
    await expect(page).toHaveURL(/\/login$/);
    await expect(page.getByLabel("Username")).toHaveValue(username);
    await page.reload();
    await hydrated(page);
  }
  expect(said[0]).toBe(said[1]);
  expect(said[0]).not.toContain(person.username);
  expect(await page.context().cookies()).toEqual([]);

  await fillSignIn(page, person.username, person.password);
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
});

test("signing in leads to the page that was asked for, and never elsewhere", async ({ page, newPerson }) => {
  const person = await newPerson();
  await page.goto("/account/devices");
  await expect(page).toHaveURL(/\/login\?next=%2Faccount%2Fdevices$/);
  await hydrated(page);
  await fillSignIn(page, person.username, person.password);
  await expect(page).toHaveURL(/\/account\/devices$/);
  await signOut(page);

  for (const next of ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]) {
    await page.goto(`/login?next=${encodeURIComponent(next)}`);
    await hydrated(page);
    await fillSignIn(page, person.username, person.password);
    await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
    expect(new URL(page.url()).pathname).toBe("/");
    await signOut(page);
  }
});

test("somebody who is signed in is remembered only when they say so", async ({ page, newPerson }) => {
  const person = await newPerson();
  await signIn(page, person);
  expect((await page.context().cookies()).find((c) => c.name === "rollcall")).toMatchObject({
    expires: -1,
    httpOnly: true,
    sameSite: "Lax",
    path: "/",
  });
  await signOut(page);
  await page.getByLabel("Keep me signed in").check();
  await fillSignIn(page, person.username, person.password);
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  const kept = (await page.context().cookies()).find((c) => c.name === "rollcall");
  expect(kept?.expires).toBeGreaterThan(Date.now() / 1000 + 13 * 24 * 3600);
});

test.describe("with scripts off", () => {
  test("an administrator signs in, watches, filters, ends a session and signs out", async ({
    visitor,
    client,
    admin,
    newPerson,
  }) => {
    const [someone, other] = [await newPerson(), await newPerson()];
    const api = await client(someone);
    const tab = await api.connect({ page: "/files", visible: true, idle_ms: 0 });
    await (await client(other)).beat({ page: "/reports" });
    const page = await visitor({ javaScriptEnabled: false });

    // Turned away at first: what was typed is nowhere in the address.
    await page.goto("/admin/live");
    await fillSignIn(page, admin.username, "not the right words 7");
    await expect(page.getByRole("alert")).toBeVisible();
    expect(page.url()).not.toContain("right");
    await fillSignIn(page, admin.username, admin.password);
    await expect(page).toHaveURL(/\/admin\/live$/);

    await expect(stateOf(page, someone.name)).toHaveText("Active");
    await expect(rowOf(page, someone.name)).toContainText("/files");
    await expect(rowOf(page, other.name)).toContainText("/reports");
    await expect(page.getByText(/^\d+ online$/)).toBeVisible();

    await page.getByRole("searchbox", { name: "Filter people" }).fill(someone.name);
    await page.getByRole("button", { name: "Apply" }).click();
    await expect(page).toHaveURL(/[?&]q=/);
    await expect(rowOf(page, someone.name)).toBeVisible();
    await expect(rowOf(page, other.name)).toHaveCount(0);
    await page.getByRole("button", { name: "Name" }).click();
    await expect(page).toHaveURL(/sort=name/);
    await expect(peopleOnline(page).getByRole("columnheader", { name: "Name" })).toHaveAttribute(
      "aria-sort",
      "ascending",
    );

    const drawer = await openDrawer(page, someone.name);
    await expect(page).toHaveURL(new RegExp(`open=${api.id}`));
    await expect(drawer).toContainText("/files");
    await drawer.getByRole("button", { name: "End this session" }).click();
    await expect(page).toHaveURL(/\/admin\/live/);
    expect(await api.isSignedIn()).toBe(false);
    await page.goto("/admin/live");
    await expect(rowOf(page, other.name)).toBeVisible();
    await expect(rowOf(page, someone.name)).toHaveCount(0);
    tab.terminate();

    await signOut(page);
    await expect(page.getByText("You are signed out.")).toBeVisible();
    await page.goto("/admin/live");
    await expect(page).toHaveURL(/\/login\?next=/);
  });

  test("a person chooses a status and changes the password", async ({ visitor, client, newPerson }) => {
    const person = await newPerson();
    const page = await visitor({ javaScriptEnabled: false });
    await signIn(page, person);
    await page.getByRole("radio", { name: /^Busy/ }).check();
    await page.getByLabel("Message").fill("Writing, back at four");
    await page.getByRole("button", { name: "Set status" }).click();
    await page.goto("/");
    await expect(page.getByRole("radio", { name: /^Busy/ })).toBeChecked();
    await expect(page.getByLabel("Message")).toHaveValue("Writing, back at four");

    const changed = "another nine harbours 58";
    await page.goto("/account");
    await page.getByLabel("Current password").fill(person.password);
    await page.getByLabel("New password").fill(changed);
    await page.getByRole("button", { name: "Change password" }).click();
    await expect(page.getByText("Your password is changed. This device stays signed in.")).toBeVisible();
    await client({ ...person, password: changed });
  });
});
