// What is said of people who come and go, to a screen reader and only to who asked for it.

import type { Page } from "@playwright/test";
import { check } from "../support/axe";
import { enter, hydrated, live, rowOf } from "../support/person";
import { expect, test } from "../support/test";

test.use({ settings: { ROLLCALL_GRACE: "1s" } });

/** Everything that is said from now on, with the page's own time. */
async function listen(page: Page): Promise<() => Promise<{ at: number; text: string }[]>> {
  await page.evaluate(() => {
    const heard: { at: number; text: string }[] = [];
    Object.assign(window, { heard });
    const status = document.querySelector("[role=status]") as HTMLElement;
    new MutationObserver(() => {
      const text = status.textContent ?? "";
      if (text !== "") heard.push({ at: Date.now(), text });
    }).observe(status, { childList: true, subtree: true, characterData: true });
  });
  return () => page.evaluate(() => (window as unknown as { heard: { at: number; text: string }[] }).heard);
}

test("who turns it on hears of changes, at most every half minute", async ({ page, admin, client, newPerson }) => {
  await page.clock.install();
  await enter(page, admin, "/admin/live");
  const heard = await listen(page);
  const texts = async () => (await heard()).map((h) => h.text);
  const box = page.getByRole("checkbox", { name: "Announce changes" });
  await expect(page.getByRole("status")).toHaveCount(1);
  await expect(box).not.toBeChecked();
  const first = await newPerson();
  await (await client(first)).connect({ page: "/", visible: true, idle_ms: 0 });
  await expect(rowOf(page, first.name)).toBeVisible();
  await page.clock.runFor(40_000);
  expect(await texts()).toEqual([]);

  await box.check();
  await expect.poll(texts).toEqual(["2 people online."]);
  await check(page, "announced");

  const second = await newPerson();
  const tab = await (await client(second)).connect({ page: "/", visible: true, idle_ms: 0 });
  await expect(page.getByText(/^3 online$/)).toBeVisible();
  await page.clock.runFor(35_000);
  await expect.poll(texts).toEqual(["2 people online.", "3 people online, 1 joined."]);
  tab.close();
  await expect(page.getByText(/^2 online$/)).toBeVisible();
  await page.clock.runFor(35_000);
  const all = ["2 people online.", "3 people online, 1 joined.", "2 people online, 1 left."];
  await expect.poll(texts).toEqual(all);
  const times = (await heard()).map((h) => h.at);
  // By the server's clock, from which the browser's may be a millisecond off when it is rounded.
  for (const [i, at] of times.slice(1).entries()) expect(at - (times[i] ?? 0)).toBeGreaterThanOrEqual(29_990);

  // Nothing new, nothing said.
  await page.clock.runFor(60_000);
  expect(await texts()).toEqual(all);
  await page.reload();
  await live(page);
  await expect(box).toBeChecked();
  await box.uncheck();
  await page.reload();
  await hydrated(page);
  await expect(box).not.toBeChecked();
});
