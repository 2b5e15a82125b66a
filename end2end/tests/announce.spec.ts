// What is said of people who come and go, to a screen reader and only to who asked for it.

import { check } from "../support/axe";
import { enter, hydrated, live, rowOf } from "../support/person";
import { expect, test } from "../support/test";

test.use({ settings: { ROLLCALL_GRACE: "1s" } });

test("who turns it on hears of changes, at most every half minute", async ({ page, admin, client, newPerson }) => {
  await page.clock.install();
  await enter(page, admin, "/admin/live");
  const status = page.getByRole("status");
  const box = page.getByRole("checkbox", { name: "Announce changes" });
  await expect(status).toHaveCount(1);
  await expect(box).not.toBeChecked();
  const first = await newPerson();
  await (await client(first)).connect({ page: "/", visible: true, idle_ms: 0 });
  await expect(rowOf(page, first.name)).toBeVisible();
  await page.clock.runFor(40_000);
  await expect(status).toBeEmpty();

  await box.check();
  await page.clock.runFor(2_000);
  await expect(status).toHaveText("2 people online.");
  await check(page, "announced");
  await page.clock.runFor(10_000);
  await expect(status).toBeEmpty();

  const second = await newPerson();
  const tab = await (await client(second)).connect({ page: "/", visible: true, idle_ms: 0 });
  await expect(page.getByText(/^3 online$/)).toBeVisible();
  await page.clock.runFor(5_000);
  await expect(status).toBeEmpty();
  await page.clock.runFor(15_000);
  await expect(status).toHaveText("3 people online, 1 joined.");
  tab.close();
  await expect(page.getByText(/^2 online$/)).toBeVisible();
  await page.clock.runFor(32_000);
  await expect(status).toHaveText("2 people online, 1 left.");

  // Nothing new, nothing said; nor to who paused.
  await page.clock.runFor(60_000);
  await expect(status).toBeEmpty();
  await page.reload();
  await live(page);
  await expect(box).toBeChecked();
  await box.uncheck();
  await page.reload();
  await hydrated(page);
  await expect(box).not.toBeChecked();
});
