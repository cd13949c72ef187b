// Chromium with a page of --report in it, and what the pages' tests ask of it.
import { createRequire } from "node:module";
import { join } from "node:path";

// Installed in the folder that the tests are run from, not in the source tree.
const { chromium } = createRequire(join(process.cwd(), "package.json"))("playwright-core");

// It needs no network and gets none: without these flags it asks for hosts at every start.
const flags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export const start = (program) => chromium.launch({ executablePath: program, args: flags });

export const desk = { viewport: { width: 1280, height: 900 }, colorScheme: "light" };
export const phone = { viewport: { width: 390, height: 844 }, colorScheme: "dark", isMobile: true, hasTouch: true };

// Whatever the page complains of or asks the network for is an error.
export async function open(browser, file, how) {
  const context = await browser.newContext(how);
  const page = await context.newPage();
  const trouble = [];
  page.on("pageerror", (error) => trouble.push(error.message));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && trouble.push(message.text()));
  page.on("request", (request) => request.url() === `file://${file}` || trouble.push(`asked for ${request.url()}`));
  await page.goto(`file://${file}`);
  await page.waitForSelector("[data-chart] svg");
  await settled(page);
  return { page, trouble, close: () => context.close() };
}

// All charts are drawn.
export async function settled(page) {
  await page.waitForSelector("main:not([aria-busy])");
  const empty = await page.$$eval("[data-chart]", (all) => all.filter((c) => !c.querySelector("svg path")).map((c) => c.dataset.chart));
  if (empty.length > 0) throw new Error(`not drawn: ${empty.join(", ")}`);
}

// The shapes with an area that a chart has drawn in this colour of the style sheet, in the chart's pixels, and where it puts a
// point of its data.
export function drawn(page, chart, colour) {
  return page.evaluate(([name, wanted]) => {
    const box = document.querySelector(`[data-chart="${name}"]`);
    const probe = document.createElement("i");
    probe.style.color = `var(--${wanted})`;
    document.body.append(probe);
    const fill = getComputedStyle(probe).color;
    probe.remove();
    const origin = box.getBoundingClientRect();
    const shapes = [...box.querySelectorAll("svg path")].filter((p) => getComputedStyle(p).fill === fill);
    return shapes.map((p) => p.getBoundingClientRect()).filter((r) => r.width > 0 && r.height > 0).map((r) => ({
      left: r.left - origin.left, right: r.right - origin.left, top: r.top - origin.top, bottom: r.bottom - origin.top,
    }));
  }, [chart, colour]);
}

export const place = (page, chart, point) => page.evaluate(([name, p]) => window.mortiseCharts.get(name).convertToPixel({ seriesIndex: 0 }, p), [chart, point]);

// The figures behind a chart: data-value of the cells of one column, by the column's title.
export function column(page, section, title) {
  return page.evaluate(([id, wanted]) => {
    const table = document.querySelector(`#${id} table`);
    const at = [...table.querySelectorAll("thead th")].findIndex((th) => th.textContent === wanted);
    return [...table.querySelectorAll("tbody tr")].map((row) => Number(row.children[at].dataset.value));
  }, [section, title]);
}
