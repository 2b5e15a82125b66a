// Traffic: figures that rise as requests come, and charts that can be read without seeing them.

import { check } from "../support/axe";
import { enter, live } from "../support/person";
import { expect, test } from "../support/test";

test("figures rise when requests come, and the charts are read by keyboard", async ({ page, client, admin, newPerson }) => {
  const person = await newPerson({ name: "Odalys Ferrer" });
  const api = await client(person);
  await enter(page, admin, "/admin/traffic");
  await expect(page.getByRole("heading", { level: 1, name: "Traffic" })).toBeVisible();
  const line = page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Traffic" });
  await expect(line).toHaveAttribute("aria-current", "page");
  await expect(page.getByText("Live, a sample a second.")).toBeVisible();
  const today = page.getByRole("region", { name: "Requests today" }).locator("[data-figure]");
  const number = async () => Number((await today.innerText()).replace(/,/g, ""));
  const before = await number();
  // More than whoever else was here asked for.
  for (let i = 0; i < 200; i++) await api.online().catch(() => {});
  await expect.poll(number).toBeGreaterThanOrEqual(before + 200);
  await expect(page.getByRole("region", { name: "Requests per second" }).locator("[data-figure]").first()).not.toHaveText("0.0");

  // By steps, with the arrow keys: what the table says of that minute.
  const slider = page.getByRole("slider", { name: "Requests over time, step by step" });
  await slider.focus();
  await page.keyboard.press("Home");
  await expect(slider).toHaveAttribute("aria-valuetext", /\d\d:\d\d: 0\.0\/s$/);
  await page.keyboard.press("ArrowRight");
  await expect(slider).toHaveValue("1");
  await expect(page.getByRole("status").filter({ hasText: /^.*\d\d:\d\d: \d/ })).toBeVisible();
  const chart = page.getByRole("region", { name: "Requests over time", exact: true });
  await chart.getByText("As a table").focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("table", { name: "Requests over time" }).getByRole("row")).toHaveCount(61);
  await check(page, "traffic of the last hour");

  // The range is in the address.
  await page.getByRole("link", { name: "Last day" }).click();
  await expect(page).toHaveURL(/range=day/);
  await expect(page.getByRole("table", { name: "Requests over time" }).getByRole("row")).toHaveCount(97);
  await expect(page.getByRole("table", { name: "Requests over time" }).getByRole("row").last()).toContainText("so far");
  const routes = page.getByRole("table", { name: "Routes" });
  await routes.getByRole("link", { name: "Requests" }).click();
  await expect(page).toHaveURL(/range=day.*sort=requests|sort=requests.*range=day/);
  await expect(routes.getByRole("rowheader", { name: "GET /api/v1/admin/users/online" })).toBeVisible();
  await page.goto("/admin/traffic?range=week");
  await live(page);
  await expect(page.getByRole("link", { name: "Last week" })).toHaveAttribute("aria-current", "true");
  await expect(page.getByRole("table", { name: "People with the most requests" }).getByRole("link", { name: person.name })).toBeVisible();
  await check(page, "traffic of the last week");
});

test("it says when it is not connected, and goes on", async ({ page, server, admin, complaints }) => {
  complaints.allowDisconnects();
  await enter(page, admin, "/admin/traffic");
  await expect(page.getByText("Live, a sample a second.")).toBeVisible();
  await server.kill();
  await expect(page.getByText(/^Not connected: the figures are as of \d\d:\d\d:\d\d\.$/)).toBeVisible();
  await server.restart();
  await expect(page.getByText("Live, a sample a second.")).toBeVisible();
});

test("a manager sees the whole server's numbers, and of people the own organisation's", async ({ page, client, newPerson }) => {
  const manager = await newPerson({ role: "manager", org: "North" });
  const mia = await newPerson({ name: "Mia Okafor", org: "North" });
  const sia = await newPerson({ name: "Sia Okafor", org: "South" });
  for (const person of [mia, sia]) await (await client(person)).online().catch(() => {});
  await enter(page, manager, "/admin/traffic");
  await expect(page.getByText("Live, a sample a second.")).toBeVisible();
  const top = page.getByRole("table", { name: "People with the most requests" });
  await expect(top.getByRole("link", { name: mia.name })).toBeVisible();
  await expect(top.getByRole("link", { name: sia.name })).toHaveCount(0);
  await check(page, "traffic as a manager sees it");
});
