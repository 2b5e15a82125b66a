// What the bell says, in the server's words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { name, text } from "../../frontend/agent/bell.mjs";

test("numbers are said up to ninety-nine", () => {
  assert.deepEqual([0, 1, 99, 100].map(text), ["", "1", "99", "99+"]);
  assert.deepEqual([0, 3, 100].map(name), ["Notifications", "Notifications, 3 unread", "Notifications, 99+ unread"]);
});
