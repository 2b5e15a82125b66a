// A mail server for tests: as much SMTP as a client needs, on this machine.

import { createServer, type Server, type Socket } from "node:net";
import { expect } from "@playwright/test";

export interface Mail {
  to: string;
  /** Head and text, with soft line breaks undone. */
  text: string;
}

export class MailServer {
  readonly mails: Mail[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((socket) => this.#speak(socket));
  }

  static async start(): Promise<MailServer> {
    const server = new MailServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  /** What a server of ours is told to send by this one. */
  get settings(): Record<string, string> {
    const address = this.#server.address();
    const port = typeof address === "object" ? address?.port : 0;
    return { ROLLCALL_SMTP_URL: `smtp://127.0.0.1:${port}`, ROLLCALL_MAIL_FROM: "Rollcall <rollcall@example.org>" };
  }

  /** Waits for the newest mail to an address after the first `known`. */
  async mailTo(address: string, known = 0): Promise<Mail> {
    const found = () => this.mails.filter((mail) => mail.to === address)[known];
    await expect.poll(() => found() !== undefined, { message: `a mail to ${address}`, timeout: 15_000 }).toBe(true);
    return found() as Mail;
  }

  stop(): void {
    this.#server.close();
  }

  #speak(socket: Socket): void {
    let to = "";
    let text: string[] | undefined;
    let rest = "";
    socket.on("error", () => {});
    socket.write("220 test\r\n");
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (text) {
          if (line !== ".") text.push(line);
          else {
            const whole = text.join("\n").replaceAll("=\n", "").replaceAll("=3D", "=");
            this.mails.push({ to, text: whole });
            text = undefined;
            socket.write("250 ok\r\n");
          }
        } else if (/^EHLO/i.test(line)) socket.write("250-test\r\n250 8BITMIME\r\n");
        else if (/^RCPT/i.test(line)) {
          to = /<(.*)>/.exec(line)?.[1] ?? "";
          socket.write("250 ok\r\n");
        } else if (/^DATA/i.test(line)) {
          text = [];
          socket.write("354 go on\r\n");
        } else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
        else socket.write("250 ok\r\n");
      }
    });
  }
}
