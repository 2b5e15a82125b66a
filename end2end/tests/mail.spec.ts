// Mails: a forgotten password by a link, and the page that shows what is stuck.

import { check } from "../support/axe";
import { enter, fillSignIn, hydrated } from "../support/person";
import { newcomer } from "../support/roster";
import { MailServer } from "../support/smtp";
import { expect, test } from "../support/test";

test("a forgotten password is chosen anew by a mailed link, by keyboard", async ({ fresh, visitor }) => {
  const mails = await MailServer.start();
  const server = await fresh(mails.settings);
  const person = newcomer({ email: "mia@example.org" });
  await server.addUser(person);
  const page = await visitor({ baseURL: server.url });

  await page.goto("/login");
  await hydrated(page);
  await page.getByRole("link", { name: "Get a link by e-mail." }).click();
  await expect(page.getByRole("heading", { name: "Forgotten password" })).toBeVisible();
  await hydrated(page);
  await check(page, "forgotten password");
  const who = page.getByLabel("Username or e-mail address");
  await who.focus();
  await page.keyboard.type("mia@example.org");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status")).toContainText("a link is on its way");
  await check(page, "forgotten password, sent");

  const link = /http:\S+\/reset\?token=\S+/.exec((await mails.mailTo("mia@example.org")).text)?.[0] ?? "";
  expect(link.startsWith(server.url)).toBe(true);
  await page.goto(link);
  await hydrated(page);
  await page.getByLabel("New password").fill("another nine harbours 58");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Your password is changed. Sign in with the new one.")).toBeVisible();
  await hydrated(page);
  await fillSignIn(page, person.username, "another nine harbours 58");
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  expect((await mails.mailTo("mia@example.org", 1)).text).toContain("Your password was changed");
  mails.stop();
});

test("mails go over TLS and by name to a server that asks for both, and stay here where it refuses", async ({ fresh, visitor }) => {
  const mails = await MailServer.start({ strict: true });
  const server = await fresh(mails.settings);
  const [admin, person] = [newcomer({ role: "admin" }), newcomer({ email: "eva@example.org" })];
  await server.addUser(admin);
  await server.addUser(person);
  const page = await visitor({ baseURL: server.url });
  await page.request.post("/api/v1/auth/forgot", { data: { who: person.username } });
  const mail = await mails.mailTo("eva@example.org");
  expect([mail.secure, mail.user]).toEqual([true, "rollcall"]);
  expect(mail.text).toContain("/reset?token=");

  // One that trusts nobody, and one that knows another password.
  const { SSL_CERT_FILE: _, ...stranger } = mails.settings;
  const wrong = { ...mails.settings, ROLLCALL_SMTP_URL: mails.settings.ROLLCALL_SMTP_URL?.replace("pass", "key") ?? "" };
  for (const [settings, says] of [
    [stranger, /certificate/i],
    [wrong, /535|authentication/i],
  ] as const) {
    const other = await fresh(settings);
    await other.addUser(admin);
    await other.addUser(person);
    const page = await visitor({ baseURL: other.url });
    await page.request.post("/api/v1/auth/forgot", { data: { who: person.username } });
    await enter(page, admin, "/admin/mail");
    const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "eva@example.org" }) });
    await expect(async () => {
      await page.reload();
      await expect(row).toContainText(says, { timeout: 500 });
    }).toPass();
    await expect(row).toContainText("Waiting");
  }
  expect(mails.mails).toHaveLength(1);
  mails.stop();
});

test("what is stuck is shown, dropped and tried again", async ({ fresh, visitor }) => {
  const mails = await MailServer.start();
  const settings = mails.settings;
  mails.stop();
  const server = await fresh(settings);
  const [admin, person] = [newcomer({ role: "admin" }), newcomer({ email: "ben@example.org" })];
  await server.addUser(admin);
  await server.addUser(person);
  const page = await visitor({ baseURL: server.url });
  await page.request.post("/api/v1/auth/forgot", { data: { who: person.username } });
  await enter(page, admin, "/admin/mail");
  const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "ben@example.org" }) });
  await expect(async () => {
    await page.reload();
    await expect(row).toContainText("onnection error", { timeout: 500 });
  }).toPass();
  await expect(row).toContainText("Waiting");
  await expect(page.getByText(/^Sent by 127\.0\.0\.1:/)).toBeVisible();
  await hydrated(page);
  await check(page, "mail");
  await page.getByRole("button", { name: "Try all now" }).click();
  await expect(page.getByRole("status").filter({ hasText: "1 mail tried again now." })).toBeVisible();

  await page.getByRole("button", { name: "Drop the mail to ben@example.org" }).focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Drop this mail?" });
  await expect(dialog).toContainText("This cannot be undone.");
  await dialog.getByRole("button", { name: "Drop" }).focus();
  await page.keyboard.press("Enter");
  await expect(row).toHaveCount(0);
  await expect(page.getByText("No mail was written yet.")).toBeVisible();
});

test("without a mail server the page says what to do", async ({ page, admin, newPerson, client }) => {
  const person = await newPerson();
  await client(person);
  await enter(page, admin, "/admin/mail");
  await expect(page.getByText(/No mail server is configured/)).toBeVisible();
  await page.goto("/login");
  await expect(page.getByText("An administrator can send you a link.")).toBeVisible();
  await page.goto("/forgot");
  await expect(page.getByText("This server sends no mails.")).toBeVisible();
});
