// Reports: asked for on the page, seen as they are made, fetched and read back; scheduled, and ended.

import { readFile } from "node:fs/promises";
import { check } from "../support/axe";
import { enter, hydrated } from "../support/person";
import { expect, test } from "../support/test";
import { walk } from "../support/walk";

const table = "Your reports";

test("a report is asked for, made, fetched and read back", async ({ page, admin, newPerson, client }) => {
  const person = await newPerson({});
  await (await client(person)).signOut();
  await enter(page, admin, "/admin/reports");
  await hydrated(page);
  await expect(page.getByRole("heading", { name: "Reports", level: 1 })).toBeVisible();
  const form = page.getByRole("region", { name: "New report" });
  await form.getByText("New report").click();
  const today = new Date().toISOString().slice(0, 10);
  for (const [about, as, ending, says] of [
    ["Sessions", "Comma-separated (CSV)", "csv", new RegExp(`^id,username,[^]*,${person.username},[^]*,logout,`)],
    ["Activity", "Workbook (XLSX)", "xlsx", /^PK/],
    ["Online history", "Page to print (HTML)", "html", /<h1>Online history<\/h1>/],
  ] as const) {
    await form.getByLabel("About").selectOption({ label: about });
    await form.getByLabel("As", { exact: true }).selectOption({ label: as });
    await form.getByLabel("First day").fill(today);
    await form.getByLabel("Last day").fill(today);
    await form.getByRole("button", { name: "Make it" }).click();
    const name = `${about}, ${today}.${ending}`;
    const row = page.getByRole("table", { name: table }).getByRole("row").filter({ hasText: name });
    await expect(row.getByText("Made", { exact: true })).toBeVisible({ timeout: 15_000 });
    const download = page.waitForEvent("download");
    await row.getByRole("link", { name }).click();
    const taken = await download;
    expect(taken.suggestedFilename()).toBe(name);
    expect(await readFile(await taken.path(), "latin1")).toMatch(says);
  }
  await check(page, "reports");
  await page.goto("/admin/outputs?source=Report");
  await expect(page.getByRole("rowheader", { name: `Sessions, ${today}.csv` }).first()).toBeVisible();
});

test("what is wrong is said beside its field", async ({ page, admin, complaints }) => {
  complaints.allowStatus(422);
  await enter(page, admin, "/admin/reports");
  await hydrated(page);
  const form = page.getByRole("region", { name: "New report" });
  await form.getByText("New report").click();
  await form.getByLabel("First day").fill("2026-03-02");
  await form.getByLabel("Last day").fill("2026-03-01");
  await form.getByRole("button", { name: "Make it" }).click();
  await expect(form.getByText("The last day is before the first.")).toBeVisible();
  await expect(form.getByLabel("Last day")).toHaveAttribute("aria-invalid", "true");
});

for (const width of [1440, 1100, 390]) {
  test(`it is scheduled, and the page walked by keyboard, at ${width} px`, async ({ page, admin }) => {
    await page.setViewportSize({ width, height: 900 });
    await enter(page, admin, "/admin/reports");
    await hydrated(page);
    const form = page.getByRole("region", { name: "New schedule" });
    await form.getByText("New schedule").focus();
    await page.keyboard.press("Enter");
    await form.getByLabel("When", { exact: true }).selectOption({ label: "Every Monday, of the week before" });
    const at = `1${width % 7}:30`;
    await form.getByLabel("Time of day").fill(at);
    await form.getByLabel("Send me a mail when it is there").check();
    await form.getByRole("button", { name: "Schedule it" }).click();
    const line = page.getByRole("listitem").filter({ hasText: `at ${at}, and by e-mail` });
    await expect(line).toContainText("Activity, every Monday, of the week before");
    await check(page, `reports at ${width}`);
    // What was said of it stands over the page for a while.
    await page.reload();
    await hydrated(page);
    await form.getByText("New schedule").click();
    await walk(page);
    await line.getByRole("button", { name: "End: Activity, every Monday, of the week before" }).click();
    await expect(line).toHaveCount(0);
  });
}

test("it works without scripts", async ({ admin, visitor }) => {
  const page = await visitor({ javaScriptEnabled: false });
  await enter(page, admin);
  await page.goto("/admin/reports");
  const form = page.getByRole("region", { name: "New report" });
  await form.getByText("New report").click();
  await form.getByLabel("Last day").fill("2026-03-01");
  await form.getByLabel("First day").fill("2026-03-02");
  await form.getByRole("button", { name: "Make it" }).click();
  await expect(form.getByRole("alert")).toBeVisible();
  await form.getByLabel("First day").fill("2026-02-28");
  await form.getByLabel("Last day").fill("2026-03-01");
  await form.getByRole("button", { name: "Make it" }).click();
  await expect(page.getByRole("rowheader", { name: "Activity, 2026-02-28 to 2026-03-01.xlsx" }).first()).toBeVisible();
});
