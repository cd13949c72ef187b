// Either page, for people: on a phone, in the dark, by keyboard and by ear.
import assert from "node:assert/strict";
import { desk, open, phone } from "./browser.mjs";

async function contrast(page, foreground, background) {
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const read = (name) => page.evaluate((n) => {
    const hex = getComputedStyle(document.documentElement).getPropertyValue(`--${n}`).trim();
    return [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
  }, name);
  const [a, b] = [luminance(await read(foreground)), luminance(await read(background))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

export async function readable(browser, file) {
  for (const how of [desk, phone]) {
    const { page, close } = await open(browser, file, how);
    const [scheme, width] = [how.colorScheme, how.viewport.width];
    await page.$$eval("details", (all) => all.forEach((each) => (each.open = true)));
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `${width} pixels are enough`);
    for (const [name, least] of [["text", 7], ["muted", 4.5], ["good", 4.5], ["bad", 4.5], ["ahead", 4.5], ["ours", 4.5], ["peer", 2.3]]) {
      const got = await contrast(page, name, "raised");
      assert.ok(got >= least, `${name} in the ${scheme}: contrast ${got.toFixed(2)}`);
    }
    const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number).every((c) => c < 64));
    assert.equal(dark, scheme === "dark");
    await close();
  }
  const { page, close } = await open(browser, file, desk);
  // The bug: the scheme changes at dusk, and the charts stay as they were.
  const colour = () => page.$eval("[data-chart] svg text", (t) => getComputedStyle(t).fill);
  const light = await colour();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction((before) => getComputedStyle(document.querySelector("[data-chart] svg text")).fill !== before, light);
  const silent = await page.$$eval('[role="img"]', (all) => all.filter((e) => (e.getAttribute("aria-label") ?? "").length < 10).length);
  assert.equal(silent, 0, "every chart says in words what it shows");
  assert.equal(await page.$$eval("table", (all) => all.filter((t) => !t.caption || !t.querySelector("thead th[scope=col]")).length), 0);
  // Tab comes to the figures, Enter opens them.
  for (let tries = 0; tries < 100; tries += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement.tagName === "SUMMARY")) break;
  }
  await page.keyboard.press("Enter");
  assert.ok(await page.evaluate(() => document.activeElement.parentElement.open), "Enter opens the figures");
  await close();
}
