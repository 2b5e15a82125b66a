// Times, measured: how long after something a rule holds.

import { expect } from "@playwright/test";

/** A rule of the product holds at most this much later than it says. */
export const SECOND = 1_000;

/**
 * Waits until `holds`, looking every 25 ms, and gives how long it took. Fails after `ms`. Playwright's own
 * assertions look once a second in the end, too rarely to measure a second.
 */
export async function within(ms: number, what: string, holds: () => Promise<boolean>): Promise<number> {
  const began = performance.now();
  await expect.poll(holds, { message: `${what} within ${ms} ms`, timeout: ms, intervals: [25] }).toBe(true);
  return performance.now() - began;
}
