// Phoenix's own clients, unchanged: what their Presence lists is what the REST call lists.

import { Presence as Presence17, Socket as Socket17 } from "phoenix-1.7";
import { Presence as Presence18, Socket as Socket18 } from "phoenix";
import WebSocket from "ws";
import type { ApiPerson, Tab } from "../support/api";
import { expect, test } from "../support/test";
import { SECOND, within } from "../support/within";

test.use({ settings: { ROLLCALL_GRACE: "1s", ROLLCALL_IDLE_AFTER: "2s", ROLLCALL_AWAY_AFTER: "4s" } });
test.setTimeout(120_000);

interface Meta {
  phx_ref: string;
  session_id: string;
  username: string;
  state: string;
  page: string | null;
}

interface Client {
  version: string;
  list: () => Map<string, Meta[]>;
  close: () => void;
}

/** Watches `presence:all` as `owner`. */
async function watch(version: string, owner: ApiPerson): Promise<Client> {
  const { Socket, Presence } =
    version === "1.7.21" ? { Socket: Socket17, Presence: Presence17 } : { Socket: Socket18, Presence: Presence18 };
  class Transport extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols ?? [], { headers: { cookie: owner.cookie, origin: owner.url } });
    }
  }
  const socket = new Socket(`${owner.url.replace("http", "ws")}/socket`, { transport: Transport });
  socket.connect();
  const channel = socket.channel("presence:all", {});
  const presence = new Presence(channel);
  await new Promise((resolve, reject) => channel.join().receive("ok", resolve).receive("error", reject));
  const list = () => new Map<string, Meta[]>(presence.list((id: string, { metas }: { metas: Meta[] }) => [id, metas]));
  return { version, list, close: () => socket.disconnect() };
}

/** The state of each person, and the session behind each of their connections. */
type Picture = Record<string, { state: string; sessions: string[] }>;

function pictured(client: Client): Picture {
  const people = [...client.list()].map(([id, metas]) => {
    expect(new Set(metas.map((m) => m.state)).size, "the state is the person's").toBe(1);
    return [id, { state: metas[0]?.state, sessions: metas.map((m) => m.session_id).sort() }];
  });
  return Object.fromEntries(people) as Picture;
}

async function truth(owner: ApiPerson): Promise<Picture> {
  const { users } = await owner.online();
  return Object.fromEntries(
    users.map((u) => [u.id, { state: u.state, sessions: u.devices.map((d) => d.session_id).sort() }]),
  );
}

test("Presence.list() of phoenix 1.7.21 and 1.8.16 is GET /admin/users/online", async ({
  client,
  admin,
  newPerson,
}) => {
  const owner = await client(admin);
  const people = await Promise.all(
    Array.from({ length: 25 }, async (_, i) => {
      const org = i % 3 === 0 ? "North" : undefined;
      return client(await newPerson({ org, role: i % 5 === 0 ? "manager" : "member" }));
    }),
  );
  const clients = [await watch("1.7.21", owner), await watch("1.8.16", owner)];
  const tabs = new Map<ApiPerson, Tab[]>(people.map((p) => [p, []]));

  const agree = async (step: string) => {
    for (const client of clients) {
      // The pictures are taken one after the other, and people fall idle in between: agreement is when both
      // sides of the moment say the same.
      await within(2 * SECOND, `${step}: agreement of phoenix ${client.version}`, async () => {
        const shown = JSON.stringify(sorted(pictured(client)));
        return shown === JSON.stringify(sorted(await truth(owner)));
      });
    }
  };
  // The same numbers at each run: what fails can be repeated.
  let seed = 20_260_301;
  const below = (n: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * n);
  };

  let most = 0;
  for (let step = 0; step < 12; step += 1) {
    for (const person of people) {
      const open = tabs.get(person) ?? [];
      const chance = below(10);
      if (chance < 3) open.push(await person.connect({ page: `/p/${step}`, visible: true, idle_ms: 0 }));
      else if (chance === 3) open.pop()?.close();
      else if (chance === 4) open.pop()?.terminate();
      else if (chance === 5 && open[0])
        await open[0].meta({ page: `/q/${step}`, visible: step % 2 === 0, idle_ms: below(6_000) });
      else if (chance === 6 && open.length === 0) await person.beat({ page: "/beat", idle_ms: below(3_000) });
      else if (chance === 7) await person.choose(["available", "busy", "away", "invisible"][below(4)] ?? "available");
      tabs.set(person, open);
    }
    await agree(`step ${step}`);
    most = Math.max(most, clients[0]?.list().size ?? 0);
  }
  expect(most).toBeGreaterThan(15);

  // Signing out leaves at once; a client that comes late is told the same as one that was there.
  for (const person of people.slice(0, 10)) await person.signOut();
  await agree("after signing out");
  for (const person of people.slice(0, 10)) expect(clients[0]?.list().has(person.id)).toBe(false);
  clients.push(await watch("1.8.16", owner));
  await agree("for a latecomer");

  for (const open of tabs.values()) for (const tab of open) tab.close();
  for (const person of people.slice(10)) await person.signOut();
  await agree("when all are gone");
  for (const client of clients) {
    expect(client.list().size).toBe(0);
    client.close();
  }
});

test("phoenix clients come back after a restart with the right list", async ({ client, server, admin, newPerson }) => {
  const owner = await client(admin);
  const person = await client(await newPerson());
  const clients = [await watch("1.7.21", owner), await watch("1.8.16", owner)];
  await person.connect();
  for (const client of clients)
    await within(SECOND, `phoenix ${client.version}`, async () => client.list().has(person.id));
  await server.restart();
  await person.connect({ page: "/again", visible: true, idle_ms: 0 });
  for (const client of clients) {
    await within(10 * SECOND, `phoenix ${client.version} after the restart`, async () => {
      return (
        JSON.stringify(
          client
            .list()
            .get(person.id)
            ?.map((m) => m.page),
        ) === '["/again"]'
      );
    });
    client.close();
  }
});

function sorted(picture: Picture): [string, unknown][] {
  return Object.entries(picture).sort(([a], [b]) => (a < b ? -1 : 1));
}
