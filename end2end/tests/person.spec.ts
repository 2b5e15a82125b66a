// One person's page: their story, their state as it changes, and erasing them.

import { check } from "../support/axe";
import { enter, hydrated } from "../support/person";
import { expect, test } from "../support/test";

test("the story of a person is told, page by page", async ({ page, admin, newPerson, client }) => {
  const person = await newPerson();
  for (let n = 0; n < 11; n += 1) await (await client(person)).signOut();
  await enter(page, admin, `/admin/sessions?user=${person.username}`);
  await page.getByRole("link", { name: person.name }).first().click();
  await expect(page.getByRole("heading", { name: person.name, level: 1 })).toBeVisible();
  const story = page.getByRole("region", { name: "Timeline" });
  await expect(story.getByRole("rowheader")).toHaveCount(20);
  await expect(story.getByRole("row", { name: /Signed out/ })).toHaveCount(10);
  await check(page, "timeline");
  await story.getByRole("link", { name: "Older" }).click();
  await expect(story.getByRole("row", { name: /User added/ })).toContainText("operator");
  await expect(story.getByRole("rowheader")).toHaveCount(3);
  await story.getByRole("link", { name: "Newest" }).click();
  await expect(story.getByRole("rowheader")).toHaveCount(20);
});

test("the states that are shown stay true", async ({ page, admin, newPerson, client, visitor }) => {
  test.slow();
  const person = await newPerson();
  await enter(page, admin, `/admin/people?q=${person.username}`);
  const row = page.getByRole("row", { name: new RegExp(person.name) });
  await expect(row).toContainText("Offline");
  const asOf = page.locator("[data-as-of]");
  const before = await asOf.innerText();
  const own = await visitor();
  await enter(own, admin);
  const theirs = await client(person);
  await theirs.connect();
  await expect(row).toContainText("Active", { timeout: 15_000 });
  await expect(asOf).not.toHaveText(before);
  await row.getByRole("link").click();
  await expect(page.getByText("Why active?")).toBeVisible();
  await theirs.signOut();
  await expect(page.getByText("Why offline?")).toBeVisible({ timeout: 15_000 });
  await expect(page.getByRole("region", { name: "Person", exact: true })).toContainText("Offline");
});

test("somebody is erased, counted before and by their username", async ({ page, admin, newPerson, complaints }) => {
  complaints.allowStatus(422);
  const person = await newPerson();
  await enter(page, admin, `/admin/people?q=${person.username}`);
  await page.getByRole("link", { name: person.name }).click();
  await page.getByRole("link", { name: "Erase …" }).click();
  const erase = page.getByRole("region", { name: `Erase ${person.name}?` });
  await expect(erase).toContainText(/now in \d+ entr/);
  await check(page, "erase");
  await erase.getByLabel("Type the username").fill("somebody");
  await erase.getByRole("button", { name: "Erase" }).click();
  await expect(erase.getByText(`Type ${person.username} to erase them.`)).toBeVisible();
  await erase.getByLabel("Type the username").fill(person.username);
  await erase.getByLabel("Type the username").press("Enter");
  await expect(page.getByRole("status").filter({ hasText: "Erased" })).toBeVisible();
  await page.goto("/admin/audit?verify=1");
  await expect(page.getByText("erased, each on record")).toBeVisible();
  await expect(page.getByText(person.username)).toHaveCount(0);
});

test("one changes one's own address", async ({ page, newPerson, complaints }) => {
  complaints.allowStatus(422);
  const person = await newPerson();
  await enter(page, person, "/account");
  const form = page.getByRole("region", { name: "Change e-mail" });
  await form.getByLabel("E-mail").fill("nobody@home");
  await form.getByLabel("E-mail").press("Enter");
  await expect(form.getByText("Use an address such as ada@example.org.")).toBeVisible();
  await check(page, "account, wrong address");
  await form.getByLabel("E-mail").fill("new.home@example.org");
  await form.getByLabel("E-mail").press("Enter");
  await expect(page.getByRole("status").filter({ hasText: "Your e-mail address is changed." })).toBeVisible();
  await expect(page.getByRole("definition").filter({ hasText: "new.home@example.org" })).toBeVisible();
});

test("whom an import adds is invited, by links where there is no mail", async ({ page, admin, visitor }) => {
  const username = `imported.${Date.now()}`;
  await enter(page, admin, "/admin/people/import");
  await page.getByLabel("Text").fill(`username\n${username}`);
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByRole("checkbox", { name: /Invite them/ })).toBeChecked();
  await page.getByRole("button", { name: "Add 1 account" }).click();
  const links = page.getByLabel("1 link, shown this once only");
  const [line] = (await links.inputValue()).split("\n").filter((l) => l.startsWith(username));
  await check(page, "links of an import");
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download as CSV" }).click();
  expect((await download).suggestedFilename()).toBe("invitations.csv");
  const other = await visitor();
  await other.goto(line?.split(",")[1]?.trim() ?? "");
  await hydrated(other);
  await expect(other.getByLabel("New password")).toBeVisible();
  await page.getByRole("link", { name: "Done" }).click();
  await expect(page.getByRole("row", { name: new RegExp(username) })).toContainText("Invited");
});

test("on a phone the page keeps within the screen", async ({ page, admin, newPerson, client }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const person = await newPerson();
  await client(person);
  await enter(page, admin, `/admin/people?q=${person.username}`);
  await page.getByRole("link", { name: person.name }).click();
  await page.getByRole("link", { name: "Erase …" }).click();
  await expect(page.getByRole("button", { name: "Erase" })).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false);
  await check(page, "person on a phone");
});
