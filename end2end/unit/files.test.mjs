// Sizes and times of a file that is being sent.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.addEventListener = () => {};
const { bytes, left } = await import("../../frontend/agent/files.mjs");

test("sizes are written as the server writes them", () => {
  assert.deepEqual([0, 999, 1_000, 1_499_999, 99_950_000, 100_900_000, 5e9].map(bytes),
    ["0 B", "999 B", "1 kB", "1.4 MB", "99.9 MB", "100 MB", "5 GB"]);
});

test("what is left is never nothing", () => {
  assert.deepEqual([0.2, 59, 61, 3_599, 3_700].map(left), ["1 s", "59 s", "2 min", "60 min", "1 h 2 min"]);
});
