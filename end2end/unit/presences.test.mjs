// People of a topic, as a page shows them (frontend/agent/presences.mjs).

import assert from "node:assert/strict";
import { test } from "node:test";
import { presences } from "../../frontend/agent/presences.mjs";

const meta = (name, state, message) => ({ metas: [{ phx_ref: state, name, state, message }] });
const names = (people) => people.map((p) => `${p.name} ${p.state}`);

test("people come, change and go", () => {
  const take = presences();
  assert.deepEqual(names(take("presence_state", { 1: meta("Zoe", "active"), 2: meta("Ada", "away") })), [
    "Zoe active",
    "Ada away",
  ]);
  const changed = take("presence_diff", { joins: { 2: meta("Ada", "busy", "Until four") }, leaves: { 2: meta("Ada", "away") } });
  assert.deepEqual(names(changed), ["Ada busy", "Zoe active"]);
  assert.equal(changed[0].message, "Until four");
  const left = take("presence_diff", { joins: {}, leaves: { 2: meta("Ada", "busy") } });
  assert.deepEqual(names(left), ["Zoe active"]);
  assert.deepEqual(take("presence_state", {}), []);
  assert.equal(take("phx_reply", {}), undefined);
});
