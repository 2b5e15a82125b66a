// Going through a page without a pointer.

import { expect, type Page } from "@playwright/test";

/** Numbers everything a key could reach, and gives how many there are. */
function number(page: Page): Promise<number> {
  return page.evaluate(() => {
    const all = document.querySelectorAll<HTMLElement>(
      "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex='-1'])",
    );
    const reachable = [...all].filter(
      (e) => e.checkVisibility({ visibilityProperty: true }) && !e.matches(":disabled"),
    );
    reachable.forEach((e, i) => e.setAttribute("data-walk", String(i)));
    return reachable.length;
  });
}

/** What has the focus: its number, whether it shows, and what lies over it. */
function focused(page: Page): Promise<{ walk: string | null; ring: boolean; covered: string | null; html: string }> {
  return page.evaluate(() => {
    const e = document.activeElement as HTMLElement;
    // A control in a frame of its own may leave the ring to the frame.
    const ring = [e, e.parentElement, e.closest("label")].some((frame) => {
      const style = frame && getComputedStyle(frame);
      return (
        style && ((style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== "none")
      );
    });
    const box = e.getBoundingClientRect();
    const over = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 20));
    const free =
      !over ||
      e.contains(over) ||
      over.contains(e) ||
      over.closest("label")?.contains(e) === true;
    return {
      walk: e.getAttribute("data-walk"),
      ring,
      covered: free ? null : over.outerHTML.slice(0, 160),
      html: e.outerHTML.slice(0, 160),
    };
  });
}

/** Goes through the page by Tab: every control is reached, seen to be, and free. */
export async function walk(page: Page): Promise<void> {
  const count = await number(page);
  expect(count).toBeGreaterThan(3);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const seen = new Set<string>();
  for (let i = 0; i < count + 10 && seen.size < count; i += 1) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    if (at.walk === null) continue;
    expect(at.ring, `a visible focus on ${at.html}`).toBe(true);
    expect(at.covered, `nothing over ${at.html}`).toBeNull();
    seen.add(at.walk);
  }
  const missed = await page.evaluate(
    (seen) =>
      [...document.querySelectorAll("[data-walk]")]
        .filter((e) => !seen.includes(e.getAttribute("data-walk") ?? ""))
        .map((e) => e.outerHTML.slice(0, 160)),
    [...seen],
  );
  expect(missed, "controls that Tab does not reach").toEqual([]);
}
