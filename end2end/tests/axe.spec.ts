// Every page and every state of it: no rule of axe broken in either theme, on a desk or a phone. The states that take
// time to reach are checked where they are waited for, in the specs of expiry and restart.

import { check } from "../support/axe";
import { enter, fillSignIn, hydrated, live, openDrawer, rowOf } from "../support/person";
import { expect, test } from "../support/test";

test.use({ settings: { ROLLCALL_SUDO_FOR: "1s" } });
test.setTimeout(120_000);

test("signed out", async ({ page, fresh, newPerson, complaints }) => {
  for (const status of [401, 404, 422]) complaints.allowStatus(status);
  await page.goto("/login");
  await hydrated(page);
  await check(page, "sign-in");
  await fillSignIn(page, "nobody.at.all", "not the right words 7");
  await expect(page.getByRole("alert")).toBeVisible();
  await check(page, "sign-in refused");
  await page.goto("/login?done=out");
  await hydrated(page);
  await check(page, "signed out");
  await page.goto("/setup?token=used");
  await hydrated(page);
  await check(page, "not found");

  const server = await fresh();
  await page.goto(server.setupUrl ?? "");
  await hydrated(page);
  await check(page, "set-up");
  await page.getByLabel("Username").fill("x");
  await page.getByLabel("Name", { exact: true }).fill("X");
  await page.getByLabel("Password", { exact: true }).fill("short");
  await page.getByRole("button", { name: "Create administrator" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await check(page, "set-up refused");
  expect((await newPerson()).role).toBe("member");
});

test("a forgotten password", async ({ page, server, newPerson, complaints }) => {
  complaints.allowStatus(422);
  const person = await newPerson();
  const { stdout } = await server.run(["user", "reset-link", person.username]);
  const link = /\/reset\?token=\S+/.exec(stdout)?.[0] ?? "";
  await page.goto(link);
  await hydrated(page);
  await check(page, "reset");
});

test("one's own pages", async ({ page, client, newPerson, complaints }) => {
  for (const status of [401, 403, 422]) complaints.allowStatus(status);
  const person = await newPerson({ org: "Somewhere" });
  await client(person);
  await enter(page, person, "/");
  await check(page, "home");
  await page.getByRole("radio", { name: /^Busy/ }).check();
  await page.getByLabel("Message").fill("In a lesson until four");
  await page.getByRole("button", { name: "Set status" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Your status is set." })).toBeVisible();
  await check(page, "home with a status");

  await page.goto("/account");
  await live(page);
  await check(page, "account");
  await page.getByLabel("Current password").fill("not the right words 7");
  await page.getByLabel("New password").fill("another nine harbours 58");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await check(page, "account refused");

  await page.goto("/account/devices");
  await live(page);
  await check(page, "devices");
  await page.getByRole("button", { name: "End all others" }).click();
  await expect(page.getByRole("dialog", { name: "Confirm it is you" })).toBeVisible();
  await check(page, "confirm dialog");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeVisible();
  await check(page, "keyboard dialog");

  await page.goto("/admin/live");
  await live(page);
  await check(page, "forbidden");
});

test("the console", async ({ page, client, admin, newPerson }) => {
  const people = [await newPerson({ org: "North" }), await newPerson({ org: "South", role: "student" })];
  const tabs = [];
  for (const person of people) {
    const api = await client(person);
    tabs.push(await api.connect({ page: "/files", visible: true, idle_ms: 0 }));
    if (person.org === "North") await api.choose("busy", "In a lesson until four");
  }
  const invisible = await client(await newPerson());
  await invisible.beat({ page: "/", idle_ms: 400_000 });
  await invisible.choose("invisible");

  await enter(page, admin, "/admin");
  await check(page, "overview");
  await page.getByText("Definition").first().click();
  await check(page, "overview with a definition");

  await page.goto("/admin/live");
  await live(page);
  await expect(rowOf(page, people[1]?.name ?? "")).toBeVisible();
  await check(page, "live");
  tabs[1]?.close();
  await page.getByRole("button", { name: /^Pause/ }).click();
  await check(page, "live, paused");

  const drawer = await openDrawer(page, people[1]?.name ?? "");
  await check(page, "drawer");
  await drawer.getByRole("button", { name: "End this session" }).click();
  await expect(page.getByRole("alertdialog", { name: "End sessions" })).toBeVisible();
  await check(page, "asked back");

  await page.goto("/admin/live?q=nobody+is+called+this");
  await live(page);
  await check(page, "nobody matches");
});
