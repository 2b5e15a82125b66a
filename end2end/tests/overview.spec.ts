// The console's first page: who is here, figures that rise as requests come, and what came last.

import { check } from "../support/axe";
import { enter, live } from "../support/person";
import { expect, test } from "../support/test";

test("figures, charts, files and pages are told, and read by keyboard", async ({ page, client, admin, newPerson }) => {
  test.setTimeout(120_000);
  const person = await newPerson({ name: "Mia Okafor", org: "North" });
  const api = await client(person);
  const tab = await api.connect({ page: "/files", visible: true, idle_ms: 0 });
  await enter(page, person);
  const own = page.context().request;
  const sent = { name: "figures.txt", mimeType: "text/plain", buffer: Buffer.from("some words") };
  expect((await own.post("/api/v1/uploads", { multipart: { file: sent } })).status()).toBe(201);
  // Where many were here before, it is not among the most popular; it has its place in the manager's list below.
  const seen = await own.post("/api/v1/track/page", { data: { page: "/lessons/17" } });
  expect(seen.status()).toBe(202);

  await enter(page, admin, "/admin");
  await expect(page.getByText("Live, a sample a second.")).toBeVisible();
  const figure = (name: string) => page.getByRole("region", { name, exact: true }).locator(".value");
  for (const name of ["Online", "Active users today", "Requests today", "Requests per second", "Response time", "Errors today", "Storage used"]) {
    await expect(figure(name), name).toHaveText(/\d/);
  }
  const number = async () => Number((await figure("Requests today").innerText()).replace(/,/g, ""));
  const before = await number();
  for (let i = 0; i < 20; i++) await api.online().catch(() => {});
  await expect.poll(number).toBeGreaterThanOrEqual(before + 20);

  await expect(page.getByRole("region", { name: "People online", exact: true }).getByRole("link", { name: person.name })).toBeVisible();
  const uploads = page.getByRole("table", { name: "Latest uploads" });
  await expect(uploads.getByRole("rowheader", { name: "figures.txt" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Latest outputs", exact: true })).toBeVisible();
  await expect(page.getByRole("region", { name: "Needs attention" })).toBeVisible();
  const popular = page.getByRole("table", { name: "Popular pages" });
  await expect(popular.getByRole("row").nth(1)).toContainText(/\d+ (person|people) · \d+ views?$/);

  // The main series, by its slider and by its table; the last step goes on.
  const slider = page.getByRole("slider", { name: /^Requests per second, last day/ });
  await slider.focus();
  await page.keyboard.press("End");
  await expect(slider).toHaveAttribute("aria-valuetext", /\/s so far$/);
  await page.keyboard.press("ArrowLeft");
  await expect(slider).toHaveValue("94");
  await page.getByText("As a table").focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("table", { name: "Requests per second, last day" }).getByRole("row")).toHaveCount(97);
  await check(page, "overview with everything");

  // Its other choice, which is a day a step: this person was active today.
  const series = page.getByRole("navigation", { name: "Series" });
  await series.getByRole("link", { name: "Active users" }).click();
  await expect(page).toHaveURL(/\/admin\?series=people$/);
  const days = page.getByRole("slider", { name: /^Active users per day, last 30 days/ });
  await days.focus();
  await page.keyboard.press("End");
  await expect(days).toHaveAttribute("aria-valuetext", /^\d{4}-\d\d-\d\d: [1-9][\d,]* so far$/);
  await page.getByText("As a table").click();
  await expect(page.getByRole("table", { name: "Active users per day, last 30 days" }).getByRole("row")).toHaveCount(31);
  await check(page, "overview with people by day");
  await series.getByRole("link", { name: "Requests" }).click();
  await expect(page).toHaveURL(/\/admin$/);
  await expect(slider).toBeVisible();

  // One goes on and comes back without a new document, and everything is there again.
  await page.evaluate(() => Object.assign(window, { same: true }));
  await page.getByRole("link", { name: "Every upload" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Files" })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  await expect(uploads.getByRole("rowheader", { name: "figures.txt" })).toBeVisible();
  await expect(page.getByText("Live, a sample a second.")).toBeVisible();
  expect(await page.evaluate(() => "same" in window)).toBe(true);
  tab.close();
});

test("a manager's overview is of the own organisation", async ({ page, newPerson }) => {
  const sia = await newPerson({ name: "Sia Okafor", org: "South" });
  await enter(page, sia);
  const own = page.context().request;
  const seen = await own.post("/api/v1/track/page", { data: { page: "/lessons/17" } });
  expect(seen.status()).toBe(202);
  const sent = { name: "southern.txt", mimeType: "text/plain", buffer: Buffer.from("some words") };
  expect((await own.post("/api/v1/uploads", { multipart: { file: sent } })).status()).toBe(201);
  const manager = await newPerson({ role: "manager", org: "Empty house" });
  await enter(page, manager, "/admin");
  await live(page);
  await expect(page.getByRole("region", { name: "Storage used" }).locator(".value")).toHaveText("0 B");
  await expect(page.getByText("Nobody has sent a file yet.")).toBeVisible();
  await expect(page.getByRole("rowheader", { name: "southern.txt" })).toHaveCount(0);
  await expect(page.getByText("Nobody has opened a page today.").or(page.getByRole("rowheader", { name: "/admin" }))).toBeVisible();
  await expect(page.getByRole("rowheader", { name: "/lessons/:id" })).toHaveCount(0);

  const southern = await newPerson({ role: "manager", org: "South" });
  await enter(page, southern, "/admin");
  await live(page);
  const popular = page.getByRole("table", { name: "Popular pages" });
  const row = popular.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "/lessons/:id" }) });
  // Of how often somebody's page was opened, only the whole is known.
  await expect(row).toContainText(/1 person$/);
});
