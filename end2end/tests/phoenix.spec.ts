// Other people's clients, unchanged: what their presence lists is what the REST call lists.

import type { ApiPerson, Tab } from "../support/api";
import { expect, test } from "../support/test";
import { oneOfEach, phoenix, Supabase, type Watcher } from "../support/watchers";
import { SECOND, within } from "../support/within";

test.use({ settings: { ROLLCALL_GRACE: "1s", ROLLCALL_IDLE_AFTER: "2s", ROLLCALL_AWAY_AFTER: "4s" } });
test.setTimeout(120_000);

/** The state of each person, and the session behind each of their connections. */
type Picture = Record<string, { state: string; sessions: string[] }>;

function pictured(client: Watcher): Picture {
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

test("every client lists what GET /admin/users/online lists", async ({
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
  const clients = await oneOfEach(owner);
  const tabs = new Map<ApiPerson, Tab[]>(people.map((p) => [p, []]));

  const agree = async (step: string) => {
    for (const client of clients) {
      // The pictures are taken one after the other, and people fall idle in between: agreement is when both
      // sides of the moment say the same.
      await within(2 * SECOND, `${step}: agreement of ${client.name}`, async () => {
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
  clients.push(...(await oneOfEach(owner)));
  await agree("for a latecomer");

  for (const open of tabs.values()) for (const tab of open) tab.close();
  for (const person of people.slice(10)) await person.signOut();
  await agree("when all are gone");
  for (const client of clients) {
    expect(client.list().size).toBe(0);
    client.close();
  }
});

test("Phoenix's and Supabase's clients come back after a restart with the right list", async ({ client, server, admin, newPerson }) => {
  const owner = await client(admin);
  const person = await client(await newPerson());
  // The one by hand does not reconnect.
  const clients = (await oneOfEach(owner)).slice(0, -1);
  await person.connect();
  for (const client of clients)
    await within(SECOND, client.name, async () => client.list().has(person.id));
  await server.restart();
  await person.connect({ page: "/again", visible: true, idle_ms: 0 });
  for (const client of clients) {
    await within(10 * SECOND, `${client.name} after the restart`, async () => {
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

for (const vsn of ["1.0.0", "2.0.0"]) {
  test(`tracking with realtime-js ${vsn} is being here`, async ({ client, admin, newPerson }) => {
    const owner = await client(admin);
    const watcher = await phoenix("1.8.16", owner);
    const people = await Promise.all([0, 1].map(async () => client(await newPerson({ org: `Track ${vsn}` }))));
    const [mia, ben] = people as [ApiPerson, ApiPerson];
    const session = (await (await mia.call("GET", "/session")).json()) as { user: { organisation_id: string } };
    const topic = `org:${session.user.organisation_id}`;
    const [one, two] = [await Supabase.open(vsn, mia, topic), await Supabase.open(vsn, ben, topic)];
    const page = (id: string) => watcher.list().get(id)?.[0]?.page;
    const knows = (who: Supabase, id: string) => who.list().has(id);

    expect(await one.track("/shop")).toBe("ok");
    await within(SECOND, "the console sees the page", async () => page(mia.id) === "/shop");
    await within(SECOND, "the colleague sees the person", async () => knows(two, mia.id));
    expect([...two.list().keys()], "keys are the sessions' people").toEqual([mia.id]);
    expect(two.list().get(mia.id)?.[0]).not.toHaveProperty("page");
    expect(two.syncs).toBeGreaterThan(0);
    expect(await one.track("/cart")).toBe("ok");
    await within(SECOND, "the console sees the next page", async () => page(mia.id) === "/cart");
    expect(await two.track("/shop")).toBe("ok");
    await within(SECOND, "both see both", async () => [one, two].every((w) => w.list().size === 2));

    // A broadcast goes nowhere, and harms nobody.
    await one.broadcast();
    expect(await one.untrack()).toBe("ok");
    await within(3 * SECOND, "everybody sees them leave", async () => !knows(two, mia.id) && !watcher.list().has(mia.id));
    two.close();
    await within(3 * SECOND, "closing is leaving", async () => !watcher.list().has(ben.id) && !knows(one, ben.id));
    for (const client of [one, watcher]) client.close();
  });
}

function sorted(picture: Picture): [string, unknown][] {
  return Object.entries(picture).sort(([a], [b]) => (a < b ? -1 : 1));
}
