// A mail server for tests: the one of Nodemailer, on this machine, which takes every mail and keeps it.

import { mkdtempSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { generate } from "selfsigned";
import { SMTPServer } from "smtp-server";

export interface Mail {
  to: string;
  /** Whether it came over TLS, and who had signed in to send it. */
  secure: boolean;
  user: string | undefined;
  /** Head and text, with soft line breaks undone. */
  text: string;
}

/** Who may send where names are asked for. */
const NAME = "rollcall";
const PASSWORD = "a pass/word";

export class MailServer {
  readonly mails: Mail[] = [];
  readonly #server: SMTPServer;
  /** Set where it takes mails only over TLS, from whoever gives a name and a password: the file of its certificate. */
  readonly #certificate: string | undefined;

  private constructor(strict: boolean) {
    const pair = strict ? certificate() : undefined;
    if (pair) {
      this.#certificate = join(mkdtempSync(join(tmpdir(), "rollcall-mail-")), "server.pem");
      writeFileSync(this.#certificate, pair.cert);
    }
    this.#server = new SMTPServer({
      ...pair,
      hideSTARTTLS: !strict,
      authOptional: !strict,
      onAuth: ({ username, password }, _session, answer) =>
        username === NAME && password === PASSWORD ? answer(null, { user: NAME }) : answer(new Error("wrong")),
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          const raw = Buffer.concat(chunks).toString("utf8").replaceAll("\r\n", "\n");
          const text = raw.replaceAll("=\n", "").replaceAll("=3D", "=");
          const { secure, user } = session as { secure: boolean; user?: string };
          for (const { address } of session.envelope.rcptTo) this.mails.push({ to: address, secure, user, text });
          done();
        });
      },
    });
    // Whoever goes away in the middle is no matter of the tests.
    this.#server.on("error", () => {});
  }

  static async start({ strict = false } = {}): Promise<MailServer> {
    const server = new MailServer(strict);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  /** What a server of ours is told to send by this one. */
  get settings(): Record<string, string> {
    const { port } = this.#server.server.address() as AddressInfo;
    const from = { ROLLCALL_MAIL_FROM: "Rollcall <rollcall@example.org>" };
    if (!this.#certificate) return { ...from, ROLLCALL_SMTP_URL: `smtp://127.0.0.1:${port}` };
    const who = `${NAME}:${encodeURIComponent(PASSWORD)}`;
    // Beside this file no other authority is trusted.
    return { ...from, ROLLCALL_SMTP_URL: `smtp://${who}@localhost:${port}?tls=required`, SSL_CERT_FILE: this.#certificate };
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
}

/** Of a server, not of an authority: such are not taken for servers. */
function certificate(): { key: string; cert: string } {
  const { private: key, cert } = generate([{ name: "commonName", value: "localhost" }], {
    days: 2,
    keySize: 2048,
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] },
    ],
  });
  return { key, cert };
}
