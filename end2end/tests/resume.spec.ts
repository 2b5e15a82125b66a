// A browser whose network was away: what it missed is sent to it and no more, as the frames of its own socket say.

import type { Page } from "@playwright/test";
import { Cable } from "../support/cable";
import { enter, live, rowOf, stateOf } from "../support/person";
import { test as base, expect } from "../support/test";
import { SECOND, within } from "../support/within";

const test = base.extend<object, { cable: Cable }>({
  cable: [
    async ({}, use) => {
      const cable = await Cable.lay();
      await use(cable);
      cable.remove();
    },
    { scope: "worker" },
  ],
  settings: [async ({ cable }, use) => use({ ROLLCALL_BASE_URL: cable.url, ROLLCALL_GRACE: "1s" }), { scope: "worker" }],
  baseURL: async ({ cable, server }, use) => {
    cable.plugInto(server.url);
    await use(cable.url);
  },
});

/** What these frames of version 2 of the Phoenix protocol carry, as far as it is looked at here. */
interface Payload {
  resume?: { epoch: string; seq: number };
  response?: { resumed: boolean; epoch: string; seq: number };
  epoch?: string;
  seq?: number;
  prev?: number;
  upsert?: { name: string; page: string | null }[];
  remove?: string[];
}

interface Frame {
  event: string;
  payload: Payload;
}

/** The frames of `live:online` that went through one socket. */
interface Wire {
  sent: Frame[];
  received: Frame[];
}

/** Listens to every socket that the page opens. */
function listen(page: Page): Wire[] {
  const wires: Wire[] = [];
  page.on("websocket", (socket) => {
    const wire: Wire = { sent: [], received: [] };
    wires.push(wire);
    const note = (into: Frame[]) => (data: { payload: string | Buffer }) => {
      const [, , topic, event, payload] = JSON.parse(String(data.payload)) as [null, null, string, string, Payload];
      if (topic.startsWith("live:online")) into.push({ event, payload });
    };
    socket.on("framesent", note(wire.sent));
    socket.on("framereceived", note(wire.received));
  });
  return wires;
}

test("offline and online again, the list goes on where it was, by a patch and no snapshot", async ({
  page,
  cable,
  client,
  admin,
  newPerson,
  complaints,
}) => {
  complaints.allowDisconnects();
  // Then the tab has the socket itself: the frames of a worker are not the page's.
  await page.addInitScript(() => delete (window as { SharedWorker?: unknown }).SharedWorker);
  const wires = listen(page);
  const [stays, leaves, comes] = [await newPerson(), await newPerson(), await newPerson()];
  const [staying, leaving, coming] = [await client(stays), await client(leaves), await client(comes)];
  await staying.beat({ page: "/before", idle_ms: 0 });
  await leaving.beat({ page: "/before", idle_ms: 0 });
  await enter(page, admin, "/admin/live");
  await expect(rowOf(page, stays.name)).toContainText("/before");
  // Nobody has been followed before, so there is a snapshot; and something has been followed since.
  await staying.beat({ page: "/then", idle_ms: 0 });
  await expect(rowOf(page, stays.name)).toContainText("/then");

  cable.cut();
  await page.context().setOffline(true);
  await within(SECOND, "offline", async () => (await page.locator("html[data-live=offline]").count()) === 1);
  await staying.beat({ page: "/meanwhile", idle_ms: 0 });
  await leaving.signOut();
  await coming.beat({ page: "/new", idle_ms: 0 });
  cable.mend();
  await page.context().setOffline(false);
  await live(page);
  await expect(rowOf(page, stays.name)).toContainText("/meanwhile");
  await expect(stateOf(page, leaves.name)).toHaveText(/^Left/);
  await expect(rowOf(page, comes.name)).toContainText("/new");

  // Some attempts came to nothing while the network was away.
  const open = wires.filter((wire) => wire.received.length > 0);
  expect(open).toHaveLength(2);
  const [before, after] = open as [Wire, Wire];
  expect(before.received.map((f) => f.event).slice(0, 2)).toEqual(["phx_reply", "snapshot"]);
  const last = before.received.at(-1)?.payload;
  expect(after.sent.map((f) => f.event), "it joins, and has nothing to ask").toEqual(["phx_join"]);
  expect(after.sent[0]?.payload.resume).toEqual({ epoch: last?.epoch, seq: last?.seq });
  expect(after.received.map((f) => f.event)).not.toContain("snapshot");
  const [reply, patch] = after.received as [Frame, Frame];
  expect(reply.event).toBe("phx_reply");
  expect(reply.payload.response).toMatchObject({ resumed: true, epoch: last?.epoch, seq: last?.seq });
  expect(patch.event).toBe("patch");
  expect(patch.payload).toMatchObject({ epoch: last?.epoch, prev: last?.seq, remove: [leaving.id] });
  // Who was away was away from the list as well.
  const missed = patch.payload.upsert?.filter((row) => row.name !== admin.name);
  expect(Object.fromEntries(missed?.map(({ name, page }) => [name, page]) ?? [])).toEqual({
    [stays.name]: "/meanwhile",
    [comes.name]: "/new",
  });
});

/** What the server answers a question with, and what it sends when something changed. */
const NEWS = ["patch", "snapshot"];

test("a list that lost a patch, or came out different, asks again and is right", async ({ page, client, admin, newPerson }) => {
  await page.addInitScript(() => delete (window as { SharedWorker?: unknown }).SharedWorker);
  const person = await newPerson();
  const working = await client(person);
  await working.beat({ page: "/one", idle_ms: 0 });
  let harm: ((frame: [string, string, string, string, Record<string, unknown>]) => void) | undefined;
  const heard: string[] = [];
  const asked: string[] = [];
  await page.routeWebSocket(/\/socket\/websocket/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((data) => {
      const [, , topic, event] = JSON.parse(String(data)) as [string, string, string, string];
      if (topic.startsWith("live:online")) asked.push(event);
      server.send(data);
    });
    server.onMessage((data) => {
      const frame = JSON.parse(String(data)) as [string, string, string, string, Record<string, unknown>];
      if (frame[2].startsWith("live:online") && NEWS.includes(frame[3])) {
        if (frame[3] === "patch" && harm) {
          harm(frame);
          harm = undefined;
        }
        heard.push(frame[3]);
      }
      socket.send(JSON.stringify(frame));
    });
  });
  await enter(page, admin, "/admin/live");
  await live(page);
  await expect(rowOf(page, person.name)).toContainText("/one");
  await working.beat({ page: "/two", idle_ms: 0 });
  await expect(rowOf(page, person.name)).toContainText("/two");

  for (const [n, how] of [
    // As if the one before it had been lost.
    (payload: Record<string, unknown>) => (payload.prev = Number(payload.prev) + 1),
    // As if a row had been read wrongly.
    (payload: Record<string, unknown>) => (payload.hash = "0".repeat(String(payload.hash).length)),
    // As if what it carries had been changed on the way.
    (payload: Record<string, unknown>) => {
      for (const row of payload.upsert as { id: string }[]) row.id = row.id.replace(/^./, (c) => (c === "0" ? "1" : "0"));
    },
  ].entries()) {
    [heard.length, asked.length] = [0, 0];
    harm = (frame) => how(frame[4]);
    await working.beat({ page: `/harmed-${n}`, idle_ms: 0 });
    await expect(rowOf(page, person.name)).toContainText(`/harmed-${n}`);
    await expect.poll(() => heard).toContain("snapshot");
    expect(asked, "it asks once").toEqual(["query"]);
    // And it goes on by patches.
    await working.beat({ page: `/healed-${n}`, idle_ms: 0 });
    await expect(rowOf(page, person.name)).toContainText(`/healed-${n}`);
    expect(heard.filter((event) => event === "snapshot")).toHaveLength(1);
  }
  await expect(page.getByRole("table", { name: "People online" }).getByRole("row")).toHaveCount(3);
});
