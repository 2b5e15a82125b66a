// Many events taken out: the page says how far it is, and it can be cancelled; what comes is whole, and read again.

import { readFile } from "node:fs/promises";
import { check } from "../support/axe";
import { enter } from "../support/person";
import { expect, test } from "../support/test";

// Of its own, since it is filled.
test.use({ settings: { ROLLCALL_ZONE: "UTC" } });

const EVENTS = 20_000;

test.beforeAll(async ({ server }) => {
  const filled = await server.run(["load", "events", "--events", String(EVENTS), "--people", "40", "--days", "20"]);
  expect(filled.code, filled.stderr).toBe(0);
});

test("an export says how far it is, and comes whole", async ({ page, admin }) => {
  await enter(page, admin, "/admin/activity?kind=action");
  const under = page.getByRole("list", { name: "Exports on their way" });
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export these filters as CSV" }).click();
  const text = await readFile(await (await download).path(), "utf8");
  const [head, ...rows] = text.trimEnd().split(/\r?\n/);
  expect(head).toMatch(/^seq,id,at,kind,/);
  expect(rows.length).toBeGreaterThan(EVENTS / 10);
  expect(rows.every((row) => row.split(",")[3] === "action")).toBe(true);
  await expect(under.getByRole("listitem")).toContainText(`complete, ${rows.length.toLocaleString("en")} events`);
  await check(page, "activity, with an export that is over");
  await under.getByRole("button", { name: "Remove the export as CSV" }).click();
  await expect(under).toBeHidden();
});

test("a long one can be watched, and cancelled", async ({ page, admin }) => {
  await enter(page, admin, "/admin/activity");
  const under = page.getByRole("list", { name: "Exports on their way" });
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "As XLSX" }).click();
  const bar = under.getByRole("progressbar", { name: "Progress of the export as XLSX" });
  await expect(bar).toHaveAttribute("max", /^20\d\d\d$/);
  await expect(under).toContainText(/[\d,]+ of 20,\d\d\d events/);
  const cancel = under.getByRole("button", { name: "Cancel the export as XLSX" });
  await cancel.focus();
  await page.keyboard.press("Enter");
  await expect(under).toContainText(/cancelled after [\d,]+ of 20,\d\d\d events; the file is not whole/);
  await expect(under.getByRole("button", { name: "Remove the export as XLSX" })).toBeFocused();
  expect(await (await download).failure()).not.toBeNull();
});
