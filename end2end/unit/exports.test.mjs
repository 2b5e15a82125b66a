// What is said of an export on its way.

import assert from "node:assert/strict";
import { test } from "node:test";

const { words } = await import("../../frontend/agent/exports.mjs");

test("an export says how far it is, and how it ended", () => {
  const said = [
    { done: 0, expected: null, state: "running" },
    { done: 12_000, expected: 40_000, state: "running" },
    { done: 40_000, expected: 40_000, state: "running" },
    { done: 1, expected: 1, state: "complete" },
    { done: 12_000, expected: 40_000, state: "cancelled" },
    { done: 12_000, expected: null, state: "broken" },
  ].map(words);
  assert.deepEqual(said, [
    "0 events",
    "12,000 of 40,000 events",
    "40,000 of 40,000 events, being written",
    "complete, 1 event",
    "cancelled after 12,000 of 40,000 events; the file is not whole",
    "broken off after 12,000 events; the file is not whole",
  ]);
});
