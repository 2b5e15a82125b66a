// What axe finds on a page, in both themes and two sizes, and whether the page fits a narrow one.

import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
/** WCAG 1.4.10. */
const NARROW = { width: 320, height: 640 };
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Checks what is on the page now: on a desk and a phone, light and dark; and that 320 px are enough. */
export async function check(page: Page, what: string): Promise<void> {
  // Colours in the middle of a transition are nobody's contrast.
  await page.emulateMedia({ reducedMotion: "reduce" });
  for (const viewport of [DESK, PHONE]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      // In its usual mode axe opens a page of its own for each analysis; there are no frames here that need it.
      const { violations } = await new AxeBuilder({ page }).withTags(TAGS).setLegacyMode(true).analyze();
      const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html} ${n.failureSummary}`).join("; ")}`);
      expect(found, `${what}, ${viewport.width} px, ${colorScheme}`).toEqual([]);
    }
  }
  await page.setViewportSize(NARROW);
  const overflow = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if ((document.scrollingElement?.scrollWidth ?? 0) <= width) return [];
    const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 0.5);
    return ["the page scrolls sideways", ...wide.slice(0, 5).map((e) => e.outerHTML.slice(0, 120))];
  });
  expect(overflow, `${what} at 320 px`).toEqual([]);
  await page.setViewportSize(DESK);
}
