// Files: sent with and without scripts, watched by somebody else as they come, found, charted and deleted.

import { check } from "../support/axe";
import { enter, hydrated, live } from "../support/person";
import { expect, test } from "../support/test";

test.setTimeout(120_000);

const text = (name: string, content: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from(content) });

test("several files are sent, and an administrator sees one come", async ({ page, admin, newPerson, visitor }) => {
  const person = await newPerson();
  await enter(page, person, "/");
  await page.getByRole("link", { name: "My files" }).click();
  await expect(page.getByRole("heading", { name: "Files", level: 1 })).toBeVisible();
  await expect(page.getByText("No uploads yet.")).toBeVisible();
  const watcher = await visitor();
  await enter(watcher, admin, "/admin/files");
  await live(watcher);

  // A network that takes some seconds for four megabytes.
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.enable");
  const network = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 700_000 };
  await cdp.send("Network.emulateNetworkConditions", network);
  await page.getByLabel("Workflow").fill("Month end");
  const large = { name: "large.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(4_000_000, 7) };
  await page.getByLabel("File", { exact: true }).setInputFiles([large, text("notes.txt", "some words")]);
  await page.getByRole("button", { name: "Upload" }).click();
  const queue = page.getByRole("list", { name: "Being sent" });
  await expect(queue.getByRole("progressbar", { name: "Progress of large.bin" })).toBeVisible();
  await expect(queue.getByText(/of 4 MB · .*\/s · .* left/)).toBeVisible();

  const coming = watcher.getByRole("table", { name: "On their way" });
  const row = coming.getByRole("row").filter({ has: watcher.getByRole("rowheader", { name: "large.bin" }) });
  await expect(row).toContainText(person.name);
  await expect(row).toContainText("Month end");
  const progress = async () => Number(await row.getByRole("progressbar").getAttribute("value"));
  const first = await progress();
  await expect.poll(progress).toBeGreaterThan(first);

  await expect(page.getByRole("table", { name: "Uploads" }).getByRole("rowheader", { name: "large.bin" })).toBeVisible();
  await expect(page.getByRole("table", { name: "Uploads" }).getByRole("rowheader", { name: "notes.txt" })).toBeVisible();
  await expect(queue.getByRole("listitem")).toHaveCount(0);
  await cdp.send("Network.emulateNetworkConditions", { ...network, uploadThroughput: -1 });
  await expect(row).toHaveCount(0);
  const list = watcher.getByRole("table", { name: "Uploads", exact: true });
  await expect(list.getByRole("rowheader", { name: "large.bin" })).toBeVisible();
  await check(page, "own files");

  // What was used before is suggested; a picture that is none is refused beside its name, and is not sent again.
  await expect(page.locator("#workflows option")).toHaveAttribute("value", "Month end");
});

test("a file is refused, cancelled and sent again", async ({ page, newPerson, complaints }) => {
  complaints.allowStatus(422);
  complaints.allowDisconnects();
  const person = await newPerson();
  await enter(page, person, "/files");
  const queue = page.getByRole("list", { name: "Being sent" });
  const send = async (...files: { name: string; mimeType: string; buffer: Buffer }[]) => {
    await page.getByLabel("File", { exact: true }).setInputFiles(files);
    await page.getByRole("button", { name: "Upload" }).click();
  };
  await send(text("photo.png", "<script>alert(1)</script>"));
  await expect(queue.getByText("This is called .png and is something else.")).toBeVisible();
  await queue.getByRole("button", { name: "Remove photo.png" }).click();
  await expect(queue.getByRole("listitem")).toHaveCount(0);

  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.enable");
  const network = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 300_000 };
  await cdp.send("Network.emulateNetworkConditions", network);
  await send({ name: "slow.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(3_000_000, 1) });
  await queue.getByRole("button", { name: "Cancel slow.bin" }).click();
  await expect(queue.getByText("Cancelled")).toBeVisible();
  await cdp.send("Network.emulateNetworkConditions", { ...network, uploadThroughput: -1 });
  await queue.getByRole("button", { name: "Retry slow.bin" }).click();
  const table = page.getByRole("table", { name: "Uploads" });
  await expect(table.getByRole("rowheader", { name: "slow.bin" })).toBeVisible();

  // Dropped on the card.
  const dropped = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["dropped words"], "dropped.txt", { type: "text/plain" }));
    return data;
  });
  await page.locator("[data-drop]").dispatchEvent("drop", { dataTransfer: dropped });
  await expect(table.getByRole("rowheader", { name: "dropped.txt" })).toBeVisible();

  const download = page.waitForEvent("download");
  await table.getByRole("link", { name: "dropped.txt" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("dropped.txt");

  // By keyboard alone.
  await table.getByRole("button", { name: "Delete dropped.txt" }).focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Delete dropped.txt?" });
  await expect(dialog).toBeVisible();
  await check(page, "deleting a file");
  await dialog.getByRole("button", { name: "Delete" }).focus();
  await page.keyboard.press("Enter");
  await expect(table.getByRole("rowheader", { name: "dropped.txt" })).toHaveCount(0);
});

test("without scripts a file is sent, fetched and deleted", async ({ browser, server, newPerson }) => {
  const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
  const page = await context.newPage();
  const person = await newPerson();
  await enter(page, person);
  await page.goto("/files");
  await page.getByLabel("Workflow").fill("By hand");
  await page.getByLabel("File", { exact: true }).setInputFiles(text("plain.txt", "plain words"));
  await page.getByRole("button", { name: "Upload" }).click();
  await expect(page.getByText("plain.txt is here.")).toBeVisible();
  const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "plain.txt" }) });
  await expect(row).toContainText("By hand");
  const href = await row.getByRole("link", { name: "plain.txt" }).getAttribute("href");
  expect(await (await page.context().request.get(href ?? "")).text()).toBe("plain words");

  await page.getByLabel("File", { exact: true }).setInputFiles(text("wrong.png", "no picture"));
  await page.getByRole("button", { name: "Upload" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expect(page.getByText("Choose a file, and give it the ending of what it is.")).toBeVisible();
  await context.close();
});

test("who uploads what: sums, bars, filters in the address", async ({ page, admin, newPerson, client, complaints }) => {
  complaints.allowStatus(404);
  const [one, two] = [await newPerson(), await newPerson()];
  for (const [person, name, workflow] of [
    [one, "first.txt", "Scans"],
    [one, "second.txt", "Scans"],
    [two, "third.csv", "Grades"],
  ] as const) {
    await client(person);
    await enter(page, person);
    const answer = await page.context().request.post("/api/v1/uploads", {
      multipart: { workflow, file: text(name, `${name}\n`) },
    });
    expect(answer.status()).toBe(201);
    await page.context().request.post("/api/v1/outputs", {
      multipart: { source: "nightly job", file: text(`${name}.result`, "result") },
    });
  }
  await enter(page, admin, "/admin/files");
  const bars = page.getByRole("table", { name: "By person" });
  const bar = bars.getByRole("row").filter({ has: page.getByRole("rowheader", { name: one.username }) });
  await expect(bar).toContainText("2 files");
  await expect(page.getByRole("table", { name: "By workflow" })).toContainText("Grades");
  await expect(page.getByRole("table", { name: "By day" }).getByRole("rowheader")).not.toHaveCount(0);
  await check(page, "everybody's files");

  // A bar leads to what it is of, by keyboard.
  await bar.getByRole("link").focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`user=${one.username}`));
  const list = page.getByRole("table", { name: "Uploads", exact: true });
  await expect(list.getByRole("rowheader")).toHaveCount(2);
  await page.getByRole("searchbox", { name: "Find a file by its name" }).fill("second");
  await expect(list.getByRole("rowheader")).toHaveCount(1);
  await expect(page).toHaveURL(/q=second/);
  await page.reload();
  await hydrated(page);
  await expect(list.getByRole("rowheader", { name: "second.txt" })).toBeVisible();

  await page.goto(`/admin/outputs?user=${two.username}`);
  await hydrated(page);
  const outputs = page.getByRole("table", { name: "Outputs" });
  await expect(outputs.getByRole("rowheader", { name: "third.csv.result" })).toBeVisible();
  await expect(outputs).toContainText("nightly job");
  await check(page, "outputs");
});
