// The way from a browser to a server, to be cut: Chromium's own "offline" leaves open sockets alone.

import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { once } from "node:events";

export class Cable {
  #ends = new Set<Socket>();
  #isCut = false;
  #port = 0;

  private constructor(
    private readonly server: Server,
    /** Where browsers find the server behind it. */
    readonly url: string,
  ) {}

  static async lay(): Promise<Cable> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const cable = new Cable(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on("connection", (near) => {
      if (cable.#isCut) return near.destroy();
      const far = connect(cable.#port, "127.0.0.1");
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        cable.#ends.add(one);
        one.pipe(other);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          cable.#ends.delete(one);
          other.destroy();
        });
      }
    });
    return cable;
  }

  /** What it leads to, by its own address. */
  plugInto(url: string): void {
    this.#port = Number(new URL(url).port);
  }

  /** Breaks every connection, and lets nobody through until it is mended. */
  cut(): void {
    this.#isCut = true;
    for (const end of this.#ends) end.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  remove(): void {
    this.cut();
    this.server.close();
  }
}
