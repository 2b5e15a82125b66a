// People, organisations and roles: found, made, changed, moved and deleted, by name and by keyboard.

import { check } from "../support/axe";
import { enter, hydrated } from "../support/person";
import { expect, test } from "../support/test";

test("one finds people, and opens their page", async ({ page, admin, newPerson }) => {
  const person = await newPerson({ org: "Harbour" });
  await enter(page, admin, "/admin");
  await page.getByRole("link", { name: "People", exact: true }).click();
  await expect(page.getByRole("heading", { name: "People", level: 1 })).toBeVisible();
  const table = page.getByRole("table", { name: "People" });
  await check(page, "people");
  await page.keyboard.press("/");
  await page.keyboard.type(person.username);
  await expect(table.getByRole("rowheader")).toHaveCount(1);
  await page.getByRole("combobox", { name: "State" }).selectOption("active");
  await expect(page.getByText("No people match these 2 filters.")).toBeVisible();
  await page.getByRole("combobox", { name: "State" }).selectOption("");
  await page.getByRole("link", { name: "Last sign-in" }).click();
  await expect(page.getByRole("columnheader", { name: "Last sign-in" })).toHaveAttribute("aria-sort", "descending");
  await table.getByRole("link", { name: person.name }).click();
  await expect(page.getByRole("heading", { name: person.name, level: 1 })).toBeVisible();
  await expect(page.getByRole("region", { name: "Permissions" })).toContainText("Sees own data");
  await check(page, "person");
});

test("somebody is added, invited, changed, disabled and deleted", async ({ page, admin, visitor, complaints }) => {
  for (const status of [401, 409, 422]) complaints.allowStatus(status);
  const username = `new.${Date.now()}`;
  await enter(page, admin, "/admin/people");
  await page.getByRole("button", { name: "New person" }).click();
  const dialog = page.getByRole("dialog", { name: "New person" });
  await dialog.getByLabel("Username").fill(admin.username);
  await check(page, "new person");
  await dialog.getByRole("button", { name: "Add and invite" }).click();
  await expect(dialog.getByText("Somebody has this username.")).toBeVisible();
  await dialog.getByLabel("Username").fill(username);
  await dialog.getByLabel("Name", { exact: false }).nth(1).fill("New Comer");
  await dialog.getByRole("button", { name: "Add and invite" }).click();
  const link = await dialog.getByLabel("Link, shown this once only").inputValue();
  expect(link).toContain("/reset?token=");
  await check(page, "new person's link");
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("row", { name: /New Comer/ })).toContainText("Invited");

  const other = await visitor();
  await other.goto(link);
  await hydrated(other);
  await other.getByLabel("New password").fill("seven green bicycles sing");
  await other.getByRole("button", { name: /password/i }).click();
  await expect(other).toHaveURL(/\/login/);

  await page.getByRole("link", { name: "New Comer" }).click();
  const form = page.getByRole("region", { name: "Edit" });
  await form.getByLabel("Role").selectOption("teacher");
  await form.getByLabel("Organisation").fill("Somewhere new");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Saved." })).toBeVisible();
  await expect(page.getByRole("region", { name: "Person" })).toContainText("Somewhere new");

  await page.getByRole("button", { name: "Disable" }).click();
  await expect(page.getByRole("region", { name: "Person" })).toContainText("Disabled");
  await page.getByRole("button", { name: "Enable" }).click();
  await expect(page.getByRole("button", { name: "Disable" })).toBeVisible();

  await page.getByRole("button", { name: "Delete …" }).click();
  const deleting = page.getByRole("dialog", { name: "Delete New Comer?" });
  await check(page, "delete a person");
  await deleting.getByLabel("Type the username").fill("somebody");
  await deleting.getByRole("button", { name: "Delete" }).click();
  await expect(deleting.getByText(`Type ${username} to delete them.`)).toBeVisible();
  await deleting.getByLabel("Type the username").fill(username);
  await deleting.getByRole("button", { name: "Delete" }).click();
  await expect(page).toHaveURL(/\/admin\/people$/);
  await expect(page.getByRole("link", { name: "New Comer" })).toHaveCount(0);
});

test("organisations, teams and roles are made, renamed and emptied", async ({ page, admin, newPerson, complaints }) => {
  for (const status of [409, 422]) complaints.allowStatus(status);
  const name = `Works ${Date.now()}`;
  const person = await newPerson({ org: name });
  await enter(page, admin, "/admin/organisations");
  await page.getByRole("button", { name: "New organisation" }).click();
  const dialog = page.getByRole("dialog", { name: "New organisation" });
  await dialog.getByLabel("Name").fill(name.toUpperCase());
  await dialog.getByRole("button", { name: "Add" }).click();
  await expect(dialog.getByText("There is an organisation of this name.")).toBeVisible();
  await dialog.getByLabel("Name").fill(`${name} South`);
  await dialog.getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("heading", { name: `${name} South` })).toBeVisible();
  await page.getByLabel("New team").fill("Red");
  await page.getByRole("button", { name: "Add team" }).click();
  await expect(page.getByRole("rowheader", { name: "Red" })).toBeVisible();
  await check(page, "organisations");

  await page.getByRole("link", { name, exact: true }).click();
  await page.getByRole("button", { name: `Delete ${name}`, exact: true }).click();
  const deleting = page.getByRole("dialog", { name: `Delete ${name}?` });
  await deleting.getByLabel("Its people go to").selectOption({ label: `${name} South` });
  await deleting.getByLabel("Type the name").fill(name);
  await deleting.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("status").filter({ hasText: "1 account moved" })).toBeVisible();
  await page.goto(`/admin/people?q=${person.username}`);
  await hydrated(page);
  await expect(page.getByRole("row", { name: new RegExp(person.name) })).toContainText(`${name} South`);

  await page.goto("/admin/roles");
  await hydrated(page);
  await page.getByLabel("Name").fill(`Clerk ${Date.now()}`);
  await page.getByRole("button", { name: "Add role" }).click();
  await expect(page.getByRole("rowheader", { name: /^Clerk/ })).toBeVisible();
  await check(page, "roles");
});

test("a file is looked at, mended, and added whole", async ({ page, admin }) => {
  const n = Date.now();
  await enter(page, admin, "/admin/people/import");
  await page.getByLabel("Text").fill(`username,role\nann.${n},king\nben.${n},student`);
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByText("Line 2: role: There is no such role.", { exact: false })).toBeVisible();
  await check(page, "import refused");
  const file = { name: "people.csv", mimeType: "text/csv", buffer: Buffer.from(`username,role\nann.${n},teacher\nben.${n},student`) };
  await page.getByLabel(/^File/).setInputFiles(file);
  await expect(page.getByLabel("Text")).toHaveValue(/teacher/);
  await page.getByRole("button", { name: "Preview" }).click();
  await page.getByRole("checkbox", { name: /Invite them/ }).uncheck();
  await page.getByRole("button", { name: "Add 2 accounts" }).click();
  await expect(page.getByRole("status").filter({ hasText: "2 accounts added." })).toBeVisible();
  await expect(page.getByRole("row", { name: new RegExp(`ann.${n}`) })).toBeVisible();
});

test("people are moved together, and taken out as a file", async ({ page, admin, newPerson }) => {
  const [ann, ben] = [await newPerson({ org: "From" }), await newPerson({ org: "From" })];
  await newPerson({ org: "Onto" });
  await enter(page, admin, "/admin/people?org=From");
  await hydrated(page);
  await page.getByRole("checkbox", { name: `Choose ${ann.name}` }).check();
  await page.getByRole("checkbox", { name: `Choose ${ben.name}` }).check();
  await page.getByRole("button", { name: "Move 2 …" }).click();
  const dialog = page.getByRole("dialog", { name: "Move people" });
  await check(page, "move people");
  await dialog.getByLabel("To").selectOption("Onto");
  await dialog.getByRole("button", { name: "Preview" }).click();
  await expect(dialog).toContainText("2 accounts would move to Onto, and 0 live sessions would end at once.");
  await check(page, "move people, previewed");
  await dialog.getByRole("button", { name: "Move 2 accounts" }).click();
  await expect(page.getByRole("status").filter({ hasText: "2 accounts moved" })).toBeVisible();
  await page.goto(`/admin/people?q=${ann.username}`);
  await hydrated(page);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download as CSV" }).click();
  expect((await download).suggestedFilename()).toBe("people.csv");
});

test("on a phone the pages keep within the screen", async ({ page, admin, newPerson }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const person = await newPerson({ org: "Harbour" });
  await enter(page, admin, `/admin/people?q=${person.username}`);
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  expect(await wide()).toBe(false);
  await page.getByRole("link", { name: person.name }).click();
  await expect(page.getByRole("heading", { name: person.name, level: 1 })).toBeVisible();
  expect(await wide()).toBe(false);
  await check(page, "person on a phone");
});
