// Sentences of the server's in the reader's zone.

import assert from "node:assert/strict";
import { test } from "node:test";

process.env.TZ = "Asia/Tokyo";
const { ago, sentence, short } = await import("../../frontend/agent/times.mjs");
const now = Date.parse("2026-03-02T15:10:00Z");

test("instants of a sentence become local", () => {
  const said = "Idle since 2026-03-02 14:52:03 UTC: no input for 5 min; one tab open, the last input in Firefox on Linux at 14:47:03 UTC.";
  // 3 March in Tokyo by now, and 2 March then.
  assert.equal(sentence(said, undefined, now),
    "Idle since 2 Mar, 23:52: no input for 5 min; one tab open, the last input in Firefox on Linux at 2 Mar, 23:47.");
});

test("a time without a day is the last one before", () => {
  const at = Date.parse("2026-03-02T00:01:00Z");
  assert.equal(sentence("the last input at 23:59:30 UTC", at, at), "the last input at 08:59");
  assert.equal(sentence("the last input at 23:59:30 UTC", undefined, at), "the last input at 23:59:30 UTC");
});

test("ages and short forms", () => {
  assert.deepEqual([59_999, 180_000, 3_600_000, 86_400_000, 7 * 86_400_000].map(ago), ["just now", "3 min ago", "1 h ago", "yesterday", null]);
  assert.equal(short(new Date("2025-03-02T01:00:00Z"), new Date(now)), "2 Mar 2025, 10:00");
});
