// The first administrator: made once, by the link a fresh server prints, and by nothing else.

import { hydrated, live } from "../support/person";
import { PASSWORD } from "../support/roster";
import { expect, test } from "../support/test";

test("the printed link makes the first administrator and then leads nowhere", async ({ page, fresh, complaints }) => {
  const server = await fresh();
  const link = server.setupUrl ?? "";
  expect(link).toContain(`${server.url}/setup?token=`);

  await page.goto(link);
  await hydrated(page);
  await expect(page.getByRole("heading", { level: 1, name: "Set up Rollcall" })).toBeVisible();
  await page.getByLabel("Username").fill("grace");
  await page.getByLabel("Name", { exact: true }).fill("Grace Hopper");
  await page.getByLabel("Password", { exact: true }).fill("too short");
  complaints.allowStatus(422);
  await page.getByRole("button", { name: "Create administrator" }).click();
  await expect(page.getByRole("alert")).toBeFocused();
  await expect(page.getByLabel("Password", { exact: true })).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Username")).toHaveValue("grace");

  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create administrator" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  await live(page);

  complaints.allowStatus(404);
  const again = await page.goto(link);
  expect(again?.status()).toBe(404);
  await expect(page.getByLabel("Username")).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("There is nothing here");
});

test("a wrong link, and any link of a server that has people, is not found", async ({
  page,
  fresh,
  admin,
  complaints,
}) => {
  complaints.allowStatus(404);
  const server = await fresh();
  for (const path of ["/setup", "/setup?token=", "/setup?token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]) {
    expect((await page.goto(server.url + path))?.status()).toBe(404);
    await hydrated(page);
  }
  expect(admin.role).toBe("admin");
  expect((await page.goto("/setup"))?.status()).toBe(404);
});

test("the form works with scripts off", async ({ visitor, fresh }) => {
  const server = await fresh();
  const page = await visitor({ javaScriptEnabled: false });
  await page.goto(server.setupUrl ?? "");
  await page.getByLabel("Username").fill("grace");
  await page.getByLabel("Name", { exact: true }).fill("Grace Hopper");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create administrator" }).click();
  await expect(page).toHaveURL(`${server.url}/admin`);
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
});
