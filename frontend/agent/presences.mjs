// Phoenix Presence of topics with one meta a person: what a page shows of it, as a list.

const ORDER = ["busy", "active", "idle", "away", "unknown"];

/** Follows a topic: gives the people, best state first, then by name; nothing when the event is none of presence. */
export function presences() {
  const people = new Map();
  const put = (all) => {
    for (const [id, { metas }] of Object.entries(all)) {
      const { name, state, message } = metas.at(-1);
      people.set(id, { id, name, state, message });
    }
  };
  return (event, payload) => {
    if (event === "presence_state") {
      people.clear();
      put(payload);
    } else if (event === "presence_diff") {
      // A change joins in its new version and leaves in its old one.
      for (const id of Object.keys(payload.leaves)) if (!(id in payload.joins)) people.delete(id);
      put(payload.joins);
    } else {
      return undefined;
    }
    const rank = (p) => ORDER.indexOf(p.state);
    return [...people.values()].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  };
}
