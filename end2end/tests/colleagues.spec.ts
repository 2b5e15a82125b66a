// The people of one's organisation: name, state and message, and nothing else.

import { check } from "../support/axe";
import { enter } from "../support/person";
import { expect, test } from "../support/test";

test.use({ settings: { ROLLCALL_GRACE: "1s" } });

test("colleagues are seen to come, change and go", async ({ page, client, newPerson }) => {
  const [own, colleague, stranger] = [
    await newPerson({ org: "North" }),
    await newPerson({ org: "North" }),
    await newPerson({ org: "South" }),
  ];
  await (await client(stranger)).connect({ page: "/secret", visible: true, idle_ms: 0 });
  await enter(page, own, "/");
  const card = page.getByRole("region", { name: "People of North" });
  await expect(card).toContainText("Nobody else is here now.");

  const theirs = await client(colleague);
  const tab = await theirs.connect({ page: "/secret", visible: true, idle_ms: 0 });
  const item = card.getByRole("listitem").filter({ hasText: colleague.name });
  await expect(item).toContainText("Active");
  await theirs.choose("busy", "Until four");
  await expect(item).toContainText("Busy");
  await expect(item).toContainText("Until four");
  await expect(card).not.toContainText("/secret");
  await expect(card).not.toContainText(stranger.name);
  await check(page, "colleagues");

  await theirs.choose("invisible");
  await expect(item).toHaveCount(0);
  await theirs.choose("available");
  await expect(item).toContainText("Active");
  tab.close();
  await theirs.signOut();
  await expect(item).toHaveCount(0);
});
