// Every written page without a pointer, at both widths: Tab reaches all of it, and each of its dialogues opens, keeps the
// focus, breaks no rule of axe, and gives the focus back.

import type { Locator, Page } from "@playwright/test";
import { check } from "../support/axe";
import { enter, hydrated } from "../support/person";
import { expect, test } from "../support/test";
import { walk } from "../support/walk";

test.setTimeout(240_000);

const WIDTHS = [1440, 390];

/** Opens it by Enter, looks, and leaves by Escape. */
async function visit(page: Page, opener: Locator, what: string): Promise<void> {
  await opener.focus();
  await page.keyboard.press("Enter");
  const dialog = page.locator("dialog[open]");
  await expect(dialog, what).toBeVisible();
  const inside = () => page.evaluate(() => document.activeElement?.closest("dialog[open]") !== null);
  expect(await inside(), `${what}: the focus is in the dialogue`).toBe(true);
  const controls = await dialog.locator("button, input:not([type=hidden]), select, textarea, a[href]").count();
  for (let i = 0; i <= controls; i += 1) {
    await page.keyboard.press("Tab");
    const lost = await page.evaluate(() => {
      const e = document.activeElement;
      // Past the last control the focus may be the browser's own, on its way round.
      return e !== document.body && e?.closest("dialog[open]") === null ? e?.outerHTML.slice(0, 160) : null;
    });
    expect(lost, `${what}: Tab stays in the dialogue`).toBeNull();
  }
  await check(page, what);
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(opener, `${what}: the focus comes back`).toBeFocused();
}

for (const width of WIDTHS) {
  test(`written pages and their dialogues by keyboard at ${width} px`, async ({ page, client, admin, newPerson }) => {
    const person = await newPerson({ org: "Quay" });
    const session = await client(person);
    await session.beat({ page: "/" });
    await page.emulateMedia({ reducedMotion: "reduce" });
    await enter(page, admin, "/account/devices");
    await page.goto(`/admin/people?q=${person.username}`);
    const link = page.getByRole("table", { name: "People" }).getByRole("link", { name: person.name });
    const own = (await link.getAttribute("href")) ?? "";
    const paths = [
      "/account",
      "/account/devices",
      "/account/second-factor",
      "/account/email?token=none",
      "/files",
      "/notifications",
      "/admin/reports",
      "/admin/people",
      "/admin/people/import",
      own,
      "/admin/organisations",
      "/admin/roles",
      "/admin/sessions",
      "/admin/settings",
      "/admin/mail",
      "/admin/files",
      "/activity",
      "/admin/activity",
      "/admin/outputs",
      "/admin/audit",
    ];
    let dialogs = 0;
    for (const path of paths) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(path);
      await hydrated(page);
      await walk(page);
      // What is done to those that are ticked waits for one.
      const tick = page.locator("input[name=ids]:visible:enabled").first();
      if ((await tick.count()) > 0) {
        await tick.focus();
        await page.keyboard.press("Space");
      }
      const openers = page.locator("button[command=show-modal]:visible:enabled");
      // Each kind once: a row's dialogue is the next row's.
      const seen = new Set<string>();
      for (let i = 0; i < (await openers.count()); i += 1) {
        const opener = openers.nth(i);
        const kind = ((await opener.getAttribute("commandfor")) ?? "").replace(/[0-9a-f-]{32,}.*$/, "");
        if (seen.has(kind)) continue;
        seen.add(kind);
        await visit(page, opener, `${path}: ${kind}`);
        await page.setViewportSize({ width, height: 900 });
        dialogs += 1;
      }
    }
    expect(dialogs).toBeGreaterThan(5);
  });
}
