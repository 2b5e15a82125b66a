// Being told of uploads: one asks, somebody uploads, and the bell and a mail tell of it.

import { check } from "../support/axe";
import { enter, hydrated, live } from "../support/person";
import { newcomer } from "../support/roster";
import { MailServer } from "../support/smtp";
import { expect, test } from "../support/test";
import { walk } from "../support/walk";

test.setTimeout(300_000);

const text = (name: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from(`This is ${name}.`) });

test("somebody uploads, and another's bell counts up without a reload", async ({ fresh, visitor }) => {
  const mails = await MailServer.start();
  const server = await fresh(mails.settings);
  const admin = newcomer({ role: "admin", email: "told@example.org" });
  const person = newcomer({ org: "North" });
  await server.addUser(admin);
  await server.addUser(person);
  const page = await visitor({ baseURL: server.url });
  await enter(page, admin, "/admin");
  await page.getByRole("link", { name: "Notifications", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Notifications", level: 1 })).toBeVisible();
  await expect(page.getByText("You asked for nothing yet.")).toBeVisible();
  await page.getByLabel("Whose").selectOption({ label: "Uploads of North" });
  await page.getByRole("button", { name: "Tell me" }).click();
  await expect(page.getByRole("listitem").filter({ hasText: "Uploads of North, here, and by e-mail at once" })).toBeVisible();

  // On a page that lives, and on the page of notices.
  const second = await page.context().newPage();
  await second.goto("/admin/live");
  await live(second);
  await live(page);
  const uploader = await visitor({ baseURL: server.url });
  await enter(uploader, person, "/files");
  await expect(uploader.getByRole("link", { name: /^Notifications/ })).toHaveCount(0);
  const send = async (name: string) => {
    await uploader.getByLabel("File", { exact: true }).setInputFiles([text(name)]);
    await uploader.getByRole("button", { name: "Upload" }).click();
    await expect(uploader.getByRole("table", { name: "Uploads" }).getByRole("rowheader", { name })).toBeVisible();
  };
  await send("first.txt");
  for (const tab of [page, second]) {
    await expect(tab.getByRole("link", { name: "Notifications, 1 unread" })).toBeVisible();
  }
  const table = page.getByRole("table", { name: "Notifications" });
  await expect(table.getByRole("rowheader", { name: "first.txt" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "1 unread" })).toBeVisible();
  const mail = await mails.mailTo("told@example.org");
  expect(mail.text).toContain("Subject: New uploads");
  expect(mail.text).toContain("first.txt");
  expect(mail.text).toContain(`by ${person.name} (${person.username})`);
  expect(mail.text).toContain(`${server.url}/notifications`);

  await send("second.txt");
  await expect(second.getByRole("link", { name: "Notifications, 2 unread" })).toBeVisible();
  await second.reload();
  await expect(second.getByRole("link", { name: "Notifications, 2 unread" })).toBeVisible();
  await check(second, "live with unread notices");
  await check(page, "notifications");

  await page.getByRole("button", { name: "Mark first.txt as read" }).focus();
  await page.keyboard.press("Enter");
  await expect(second.getByRole("link", { name: "Notifications, 1 unread" })).toBeVisible();
  await page.getByLabel("Show").selectOption("unread");
  await expect(table.getByRole("rowheader", { name: "first.txt" })).toHaveCount(0);
  await expect(table.getByRole("rowheader", { name: "second.txt" })).toBeVisible();
  await page.getByRole("button", { name: "Mark all as read" }).click();
  for (const tab of [page, second]) {
    await expect(tab.getByRole("link", { name: "Notifications", exact: true })).toBeVisible();
  }
  await page.getByRole("button", { name: "Stop: Uploads of North" }).click();
  await expect(page.getByText("You asked for nothing yet.")).toBeVisible();
  mails.stop();
});

for (const width of [1440, 1100, 390]) {
  test(`the page and the bell by keyboard at ${width} px`, async ({ page, admin, newPerson, client }) => {
    await enter(page, admin);
    const asked = await page.context().request.post("/api/v1/notices/subscriptions", { data: { mail: "daily", at: "17:15" } });
    expect(asked.status()).toBe(201);
    const person = await client(await newPerson());
    const body = new FormData();
    body.append("file", new Blob(["words"]), `of ${width}.txt`);
    await fetch(`${person.url}/api/v1/uploads`, { method: "POST", headers: { cookie: person.cookie }, body });
    await page.setViewportSize({ width, height: 900 });
    await page.goto("/notifications");
    await hydrated(page);
    await expect(page.getByText("every day at 17:15")).toBeVisible();
    await expect(page.getByRole("rowheader", { name: `of ${width}.txt` })).toBeVisible();
    await walk(page);
  });
}

test("without scripts all of it works", async ({ admin, visitor }) => {
  const page = await visitor({ javaScriptEnabled: false });
  await enter(page, admin);
  await page.goto("/notifications");
  await page.getByLabel("Workflow").fill("Plain");
  await page.getByLabel("By e-mail").selectOption("never");
  await page.getByRole("button", { name: "Tell me" }).click();
  await expect(page.getByRole("listitem").filter({ hasText: "Everybody’s uploads for Plain, here" })).toBeVisible();
  await page.getByRole("button", { name: "Stop: Everybody’s uploads for Plain" }).click();
  await expect(page.getByRole("button", { name: "Stop: Everybody’s uploads for Plain" })).toHaveCount(0);
});
