// Clients of the socket that other people wrote, unchanged, and one written by hand: what each makes of who is here.

import { RealtimeClient } from "@supabase/realtime-js";
import { Presence as Presence18, Socket as Socket18 } from "phoenix";
import { Presence as Presence16, Socket as Socket16 } from "phoenix-1.6";
import { Presence as Presence17, Socket as Socket17 } from "phoenix-1.7";
import WebSocket from "ws";
import type { ApiPerson } from "./api";

export interface Meta {
  session_id: string;
  username: string;
  state: string;
  page: string | null;
}

/** Somebody who watches everybody. */
export interface Watcher {
  name: string;
  list: () => Map<string, Meta[]>;
  close: () => void;
}

/** A transport that sends the owner's cookie with the handshake, which a browser would do by itself. */
function transportOf(owner: ApiPerson) {
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols ?? [], { headers: { cookie: owner.cookie, origin: owner.url } });
    }
  };
}

const PHOENIX = {
  "1.6.16": { Socket: Socket16, Presence: Presence16 },
  "1.7.21": { Socket: Socket17, Presence: Presence17 },
  "1.8.16": { Socket: Socket18, Presence: Presence18 },
};

/** npm `phoenix` on `presence:all`. */
export async function phoenix(version: keyof typeof PHOENIX, owner: ApiPerson): Promise<Watcher> {
  const { Socket, Presence } = PHOENIX[version];
  const socket = new Socket(`${owner.url.replace("http", "ws")}/socket`, { transport: transportOf(owner) });
  socket.connect();
  const channel = socket.channel("presence:all", {});
  const presence = new Presence(channel);
  await new Promise((resolve, reject) => channel.join().receive("ok", resolve).receive("error", reject));
  const list = () => new Map<string, Meta[]>(presence.list((id: string, { metas }: { metas: Meta[] }) => [id, metas]));
  return { name: `phoenix ${version}`, list, close: () => socket.disconnect() };
}

/** `@supabase/realtime-js`, by default on `realtime:all`, which also tells that its owner is here. */
export class Supabase implements Watcher {
  readonly name: string;
  readonly #client: RealtimeClient;
  readonly #channel: ReturnType<RealtimeClient["channel"]>;
  /** How often it said that its picture is complete. */
  syncs = 0;

  private constructor(vsn: string, owner: ApiPerson, topic: string) {
    this.name = `@supabase/realtime-js with ${vsn}`;
    this.#client = new RealtimeClient(`${owner.url.replace("http", "ws")}/realtime/v1`, {
      params: { apikey: "publishable" },
      // biome-ignore lint/suspicious/noExplicitAny: ws is what its documentation passes, its types know browsers' only
      transport: transportOf(owner) as any,
      vsn,
    });
    // A key of the client's own choice: the server must not take it.
    this.#channel = this.#client.channel(topic, { config: { presence: { key: "somebody-else" } } });
    this.#channel.on("presence", { event: "sync" }, () => {
      this.syncs += 1;
    });
  }

  static async open(vsn: string, owner: ApiPerson, topic = "all"): Promise<Supabase> {
    const it = new Supabase(vsn, owner, topic);
    await new Promise<void>((resolve, reject) =>
      it.#channel.subscribe((status, error) => {
        if (status === "SUBSCRIBED") resolve();
        else if (status !== "CLOSED") reject(error ?? new Error(status));
      }),
    );
    return it;
  }

  list(): Map<string, Meta[]> {
    return new Map(Object.entries(this.#channel.presenceState<Meta>()));
  }

  async track(page: string): Promise<string> {
    return this.#channel.track({ page, user: "somebody else" });
  }

  async untrack(): Promise<string> {
    return this.#channel.untrack();
  }

  /** Sends a broadcast, which goes nowhere. */
  async broadcast(): Promise<void> {
    await this.#channel.send({ type: "broadcast", event: "shout", payload: {} });
  }

  close(): void {
    void this.#client.removeAllChannels();
    void this.#client.disconnect();
  }
}

type State = Record<string, { metas: (Meta & { phx_ref: string })[] }>;

/** Version 1 of the protocol by hand, with the rules of `Presence.syncDiff`. */
export async function raw(owner: ApiPerson): Promise<Watcher> {
  const Transport = transportOf(owner);
  const socket = new Transport(`${owner.url.replace("http", "ws")}/socket/websocket`);
  const people = new Map<string, (Meta & { phx_ref: string })[]>();
  const apply = (joins: State, leaves: State) => {
    for (const [id, { metas }] of Object.entries(joins)) {
      const refs = new Set(metas.map((m) => m.phx_ref));
      people.set(id, [...(people.get(id) ?? []).filter((m) => !refs.has(m.phx_ref)), ...metas]);
    }
    for (const [id, { metas }] of Object.entries(leaves)) {
      const refs = new Set(metas.map((m) => m.phx_ref));
      const left = (people.get(id) ?? []).filter((m) => !refs.has(m.phx_ref));
      if (left.length > 0) people.set(id, left);
      else people.delete(id);
    }
  };
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  await new Promise<void>((resolve) => {
    socket.on("message", (data) => {
      const { topic, event, payload } = JSON.parse(String(data));
      if (topic !== "presence:all") return;
      if (event === "presence_state") {
        people.clear();
        apply(payload as State, {});
        resolve();
      } else if (event === "presence_diff") {
        apply(payload.joins as State, payload.leaves as State);
      }
    });
    socket.send(JSON.stringify({ topic: "presence:all", event: "phx_join", payload: {}, ref: "1" }));
  });
  return { name: "version 1 by hand", list: () => people, close: () => socket.close() };
}

/** One of each. */
export async function oneOfEach(owner: ApiPerson): Promise<Watcher[]> {
  return Promise.all([
    phoenix("1.6.16", owner),
    phoenix("1.7.21", owner),
    phoenix("1.8.16", owner),
    Supabase.open("1.0.0", owner),
    Supabase.open("2.0.0", owner),
    raw(owner),
  ]);
}
