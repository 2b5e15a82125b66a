// Twenty thousand people on the live page, while they move, come and go: it stays smooth, still and right.

import type { Page } from "@playwright/test";
import type { OnlinePage } from "../support/api";
import { Crowd } from "../support/crowd";
import { enter, peopleOnline, rowOf, stateOf } from "../support/person";
import { test as base, expect } from "../support/test";
import { SECOND, within } from "../support/within";

/** All but the administrator who looks. */
const PEOPLE = 19_999;
/** The first so many of the file come while somebody looks; by name they belong near the top. */
const LATE = 20;
/** They sign out meanwhile. */
const GONE = [LATE + 5, LATE + 15];
/** Between two changes; each is of somebody in the window or of anybody, in turn. */
const CHANGE_EVERY_MS = 50;
/** A task that keeps the page from answering for longer is felt. */
const LONG_MS = 100;

const test = base.extend<{ crowd: Crowd }>({
  crowd: async ({ server }, use) => {
    const crowd = await Crowd.prepare(server, LATE + PEOPLE);
    await use(crowd);
    await crowd.close();
  },
});

// A server of its own: the next test would find the crowd as well. Every setting is as it is by itself.
test.use({ settings: { ROLLCALL_GRACE: "15s" } });

// Half of it is the unoptimised server's, which needs a millisecond for each who comes.
test.setTimeout(180 * SECOND);

/** Marks in the browser's trace when its code has taken the page over. */
async function markHydration(page: Page): Promise<void> {
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.documentElement.hasAttribute("data-hydrated")) return;
      performance.mark("hydrated");
      observer.disconnect();
    }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-hydrated"] });
  });
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  tdur?: number;
}

/**
 * How long the tasks of the page's main thread took since it was hydrated: the task that hydrates is the price of
 * opening the page, not of using it. In milliseconds of the processor, from the browser's trace: by the clock on the
 * wall, as a PerformanceObserver tells it, they take as long as the other processes let them.
 */
function tasksOf(trace: Buffer): number[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const mark = traceEvents.find((e) => e.name === "hydrated");
  if (!mark) throw new Error("the page was not seen to hydrate");
  const tasks = traceEvents.filter(
    (e) => e.name === "RunTask" && e.pid === mark.pid && e.tid === mark.tid && e.ts >= mark.ts && e.tdur !== undefined,
  );
  expect(tasks.length, "tasks in the trace").toBeGreaterThan(1_000);
  return tasks.map((e) => Math.round((e.tdur ?? 0) / 1_000));
}

/** Looks at every frame for so long; gives what happened to rows that were there, other than nothing. */
function jumpsDuring(page: Page, ms: number): Promise<string[]> {
  return page.evaluate(async (ms) => {
    const places = new Map<string, number>();
    const jumps: string[] = [];
    const end = performance.now() + ms;
    while (performance.now() < end) {
      const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
      const now = new Map(rows.map((r) => [r.dataset.row ?? "", r.getBoundingClientRect().y]));
      for (const [id, y] of places) if (now.get(id) !== y) jumps.push(`${id}: ${y} → ${now.get(id) ?? "gone"}`);
      for (const [id, y] of now) places.set(id, y);
      await new Promise(requestAnimationFrame);
    }
    return jumps;
  }, ms);
}

/** The numbers above the table. */
async function shownCounts(page: Page): Promise<{ online: number; states: Record<string, number> }> {
  const online = parseInt(await page.getByText(/^\d+ online$/).innerText(), 10);
  const words = (await page.getByRole("group", { name: "By state" }).innerText()).matchAll(/(\d+)\s+(\w+)/g);
  return { online, states: Object.fromEntries([...words].map(([, n, state]) => [state, Number(n)])) };
}

test("20,000 people: one can scroll, filter and sort, no row jumps, and the numbers are right", async ({
  page,
  browser,
  crowd,
  admin,
}) => {
  await crowd.arrive(LATE, LATE + PEOPLE);
  await markHydration(page);
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline", "devtools.timeline", "blink.user_timing"] });
  await enter(page, admin, "/admin/live");
  await expect(page.getByText(`${PEOPLE + 1} online`, { exact: true })).toBeVisible();
  await expect(page.getByText(`1–50 of ${PEOPLE + 1}`)).toBeVisible();

  // People go from page to page from here on.
  crowd.go(CHANGE_EVERY_MS, (n) => {
    const anybody = 50 + ((n * 7_919) % (PEOPLE - 50));
    return crowd.beat(LATE + (n % 2 === 0 ? 20 + ((n / 2) % 20) : anybody), `/moved/${n}`);
  });

  await test.step("scroll", async () => {
    await peopleOnline(page).hover({ position: { x: 200, y: 200 } });
    for (let n = 0; n < 10; n += 1) {
      await page.mouse.wheel(0, n < 5 ? 400 : -400);
      await page.waitForTimeout(100);
    }
  });

  await test.step("nothing moves under somebody who has scrolled", async () => {
    await page.getByRole("combobox", { name: "Sort" }).selectOption("name");
    await expect(rowOf(page, admin.name)).toBeVisible();
    await page.evaluate(() => scrollTo({ top: 600, behavior: "instant" }));
    const watched = jumpsDuring(page, 4 * SECOND);
    for (const n of GONE) await crowd.signOut(n);
    await crowd.arrive(0, LATE);
    expect(await watched, "rows that moved").toEqual([]);
    for (const n of GONE) await expect(stateOf(page, name(n))).toHaveText(/^Left \d+ s ago$/);
    // Those whom the newcomers pushed to the next page are here all the same.
    await expect(stateOf(page, name(LATE + 47))).toHaveText("Not listed now");
    await expect(page.getByRole("button", { name: `${LATE} new · Show` })).toBeVisible();
  });

  await test.step("filter", async () => {
    await page.getByRole("searchbox", { name: "Filter people" }).pressSequentially("load 0012", { delay: 40 });
    await expect(peopleOnline(page).locator("tbody tr")).toHaveCount(10);
    await expect(rowOf(page, "Load 00120")).toBeVisible();
    await page.getByRole("link", { name: "Clear" }).click();
    await page.getByRole("combobox", { name: "State" }).selectOption("active");
    await expect(page).toHaveURL(/state=active/);
    await page.getByRole("combobox", { name: "State" }).selectOption("");
  });

  await test.step("sort, and go through the pages", async () => {
    for (const sort of ["activity", "state", "name"]) {
      await page.getByRole("combobox", { name: "Sort" }).selectOption(sort);
      await expect(page).toHaveURL(new RegExp(`sort=${sort}$`));
      await page.waitForTimeout(SECOND);
    }
    await expect(rowOf(page, name(0))).toBeVisible();
    for (const range of ["51–100", "101–150"]) {
      await page.getByRole("link", { name: "Next" }).click();
      await expect(page.getByText(range)).toBeVisible();
    }
    await page.getByRole("combobox", { name: "Sort" }).selectOption("started");
    await expect(rowOf(page, name(0))).toBeVisible();
  });

  await crowd.rest();
  await test.step("the page agrees with the API", async () => {
    await within(2 * SECOND, "the same numbers", async () => {
      const answer = await page.context().request.get("/api/v1/admin/users/online?limit=50");
      const { counts, total, users } = (await answer.json()) as OnlinePage;
      const shown = await shownCounts(page);
      const rows = await peopleOnline(page).getByRole("rowheader").allInnerTexts();
      const states = Object.entries(counts.by_state).every(([state, n]) => n === (shown.states[state] ?? n));
      const range = await page.getByText(`1–50 of ${total}`, { exact: true }).count();
      const same = JSON.stringify(rows) === JSON.stringify(users.map((u) => u.name));
      return shown.online === counts.online && states && range === 1 && same && total === PEOPLE + 1 + LATE - GONE.length;
    });
  });

  const tasks = tasksOf(await browser.stopTracing());
  test.info().annotations.push({ type: "the longest task, in ms", description: String(Math.max(...tasks)) });
  expect(tasks.filter((ms) => ms > LONG_MS), "tasks that are too long, in ms").toEqual([]);
});

/** What `load prepare` calls the `n`th. */
function name(n: number): string {
  return `Load ${String(n + 1).padStart(5, "0")}`;
}
