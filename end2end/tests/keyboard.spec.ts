// The console without a pointer: everything can be reached, is seen to be reached, and nothing is in the way.

import { enter, live, openDrawer, rowOf } from "../support/person";
import { expect, test } from "../support/test";
import { walk } from "../support/walk";

test("Tab reaches every control of the live page and its drawer", async ({ page, client, admin, newPerson }) => {
  const person = await newPerson({ org: "North" });
  await (await client(person)).connect();
  await enter(page, admin, "/admin/live");
  await expect(rowOf(page, person.name)).toBeVisible();
  // A list that moves would change under the walk.
  await page.getByRole("button", { name: /^Pause/ }).click();
  await walk(page);
});

// WCAG 2.4.11. The drawer is beside the table, over it, and the whole screen; over the tools at the top it always is.
for (const width of [1440, 1280, 800, 390]) {
  test(`nothing that has the focus is behind the drawer at ${width} px`, async ({ page, client, admin, newPerson }) => {
    const person = await newPerson({ org: "North" });
    await (await client(person)).connect();
    // What steps aside would be seen in the middle of it.
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: 900 });
    await enter(page, admin, "/admin/live");
    await page.getByRole("button", { name: /^Pause/ }).click();
    const drawer = await openDrawer(page, person.name);
    const left = async () => (await drawer.boundingBox())?.x ?? NaN;
    const beside = Math.max(0, width - 560);
    await expect.poll(left).toBe(beside);

    await walk(page);

    // It is back as soon as the keyboard is, and for the pointer it never goes.
    await drawer.getByRole("link", { name: "Close" }).focus();
    await expect.poll(left).toBe(beside);
    await page.getByRole("button", { name: "Refresh" }).focus();
    await expect.poll(left).toBeGreaterThanOrEqual(width - 12);
    // Below the list, where nothing takes the focus.
    await page.mouse.click(4, 780);
    await expect.poll(left).toBe(beside);
  });
}

test("the first Tab skips to the content", async ({ page, admin }) => {
  await enter(page, admin, "/admin/live");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
});

test("keys move through rows and drawers, and the focus comes back", async ({ page, client, admin, newPerson }) => {
  const people = [await newPerson(), await newPerson()];
  for (const person of people) await (await client(person)).connect();
  const [first, second] = people.map((p) => p.name) as [string, string];
  await enter(page, admin, "/admin/live?sort=started_desc");
  await expect(rowOf(page, first)).toBeVisible();

  await rowOf(page, second).getByRole("link").focus();
  await page.keyboard.press("j");
  await expect(rowOf(page, first).getByRole("link")).toBeFocused();
  await page.keyboard.press("k");
  await expect(rowOf(page, second).getByRole("link")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("complementary", { name: second })).toBeVisible();
  await expect(page.getByRole("heading", { name: second })).toBeFocused();
  await page.keyboard.press("]");
  await expect(page.getByRole("complementary", { name: first })).toBeVisible();
  await page.keyboard.press("[");
  await expect(page.getByRole("complementary", { name: second })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("complementary")).toHaveCount(0);
  await expect(rowOf(page, second).getByRole("link")).toBeFocused();
  expect(new URL(page.url()).searchParams.has("open")).toBe(false);
});

test("single keys go places, never while typing, and can be switched off", async ({ page, admin }) => {
  await enter(page, admin, "/admin/live");
  await page.keyboard.press("/");
  const filter = page.getByRole("searchbox", { name: "Filter people" });
  await expect(filter).toBeFocused();
  await page.keyboard.type("gp?t");
  await expect(filter).toHaveValue("gp?t");
  await expect(page.getByRole("button", { name: /^Pause/ })).toHaveAttribute("aria-pressed", "false");
  await filter.fill("");

  await page.getByRole("heading", { level: 1 }).click();
  await page.keyboard.press("g");
  await page.keyboard.press("o");
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard" });
  await expect(help).toBeVisible();
  await help.getByLabel("Single-key shortcuts").uncheck();
  await page.keyboard.press("Escape");
  await expect(help).toBeHidden();
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await page.keyboard.press("?");
  await expect(help).toBeHidden();
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  await page.reload();
  await live(page);
  await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
  await expect(help.getByLabel("Single-key shortcuts")).not.toBeChecked();
});

test("nothing moves for who wants no motion", async ({ page, client, admin, newPerson }) => {
  const person = await newPerson();
  const tab = await (await client(person)).connect();
  await page.emulateMedia({ reducedMotion: "reduce" });
  await enter(page, admin, "/admin/live");
  await openDrawer(page, person.name);
  await tab.meta({ page: "/moved", visible: true, idle_ms: 0 });
  await expect(rowOf(page, person.name)).toContainText("/moved");
  const moving = await page.evaluate(() => {
    const seconds = (list: string) =>
      Math.max(...list.split(",").map((t) => parseFloat(t) * (t.endsWith("ms") ? 0.001 : 1)));
    const slow = (e: Element) => {
      const style = getComputedStyle(e);
      const animated = style.animationName !== "none" && seconds(style.animationDuration) > 0.01;
      return animated || seconds(style.transitionDuration) > 0.01;
    };
    return [...document.querySelectorAll("body *")].filter(slow).map((e) => e.outerHTML.slice(0, 120));
  });
  expect(moving).toEqual([]);
});

test("the theme is kept, without a flash of another", async ({ page, admin }) => {
  await enter(page, admin, "/admin");
  await page.getByRole("button", { name: /^Theme: as the system/ }).click();
  await page.getByRole("button", { name: /^Theme: light/ }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(page.getByRole("button", { name: /^Theme: dark/ })).toBeVisible();
  await expect
    .poll(async () => (await page.context().cookies()).some((c) => c.name === "theme" && c.value === "dark"))
    .toBe(true);
  const html = await (await page.context().request.get("/admin")).text();
  expect(html).toMatch(/<html[^>]*data-theme="dark"/);
});
