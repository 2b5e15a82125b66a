// Times are relative where that helps, and exact for all at one touch.

import { check } from "../support/axe";
import { enter, hydrated, rowOf } from "../support/person";
import { expect, test } from "../support/test";

test("one tap, one key or one switch turns all times", async ({ page, admin, client, newPerson }) => {
  const person = await newPerson();
  await (await client(person)).connect({ page: "/orders", visible: true, idle_ms: 600_000 });
  await enter(page, admin, "/admin/live");
  const input = rowOf(page, person.name).getByRole("cell").last();
  const own = rowOf(page, admin.name).getByRole("cell").last();
  await expect(input).toHaveText("10 min ago");
  await expect(input.locator("time")).toHaveAttribute("title", / UTC\)$/);

  const exact = /^\d\d:\d\d:\d\d$|, \d\d:\d\d$/;
  await input.locator("time").click();
  await expect(input).toHaveText(exact);
  await expect(own).toHaveText(exact);
  await check(page, "exact times");
  await own.locator("time").click();
  await expect(input).toHaveText("10 min ago");

  // What is a link stays one.
  await page.keyboard.press("r");
  await expect(own).toHaveText(exact);
  await page.goto("/account/devices");
  await hydrated(page);
  await expect(page.getByText("just now")).toHaveCount(0);
  await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
  const help = page.getByRole("dialog", { name: "Keyboard" });
  await help.getByLabel("Exact times").uncheck();
  await page.keyboard.press("Escape");
  await expect(page.getByText("just now").first()).toBeVisible();
  await page.reload();
  await hydrated(page);
  await expect(page.getByText("just now").first()).toBeVisible();
  // No time is a tab stop.
  await expect(page.locator("time[tabindex], time[role]")).toHaveCount(0);
});
