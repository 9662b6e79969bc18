import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { servePage, syntheticRun, type PageServer } from "./page-server.ts";

const executable = [process.env["CHROMIUM_PATH"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);
if (executable === undefined) console.log("The page is not tested in a browser: set CHROMIUM_PATH to a Chromium.");

/** WCAG 2 contrast of two colours such as #0059a8. */
function contrast(first: string, second: string): number {
  const luminance = (hex: string): number => {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const part = parseInt(hex.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const [light, dark] = [luminance(first), luminance(second)].sort((a, b) => b - a);
  return (light! + 0.05) / (dark! + 0.05);
}

describe("colours", () => {
  const style = readFileSync(new URL("../page/style.css", import.meta.url), "utf8");
  const tokens = new Map([...style.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, name, light, dark]) => [name!, [light!, dark!] as const]));
  const texts = ["text", "muted", "accent", "good", "warn", "bad", ...Array.from({ length: 7 }, (_, i) => `run-${i}`)];

  it("give black on white 21 to 1, as WCAG does", () => expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5));

  it.each(texts)("reach 4.5 to 1 for %s on every background in both schemes", (name) => {
    for (const background of ["background", "surface", "raised"])
      for (const scheme of [0, 1]) expect(contrast(tokens.get(name)![scheme]!, tokens.get(background)![scheme]!)).toBeGreaterThanOrEqual(4.5);
  });
});

/** How many times as long as on a machine of its own a process takes now, as others have the cores as well: 1 when none does. */
function crowding(): number {
  const [start, before] = [performance.now(), process.cpuUsage()];
  let used = 0;
  while (used < 50_000) {
    const { user, system } = process.cpuUsage(before);
    used = user + system;
  }
  return Math.max(1, (1000 * (performance.now() - start)) / used);
}

/** The step that the address names, and how many entries the back button has. */
const PLACE = "[new URLSearchParams(location.hash.slice(1)).get('step'), history.length]";
/** The names of the runs whose rows below the charts are lit. */
const LIT = "[...document.querySelectorAll('.readout tr.focused th')].map((cell) => cell.textContent.trim())";
/** Charts that show one run above the others. */
const HIGHLIGHTS = "document.querySelectorAll('.highlight:not([hidden])').length";

describe.skipIf(executable === undefined)("the page in a browser", () => {
  let browser: Browser;
  let server: PageServer;
  let page: Page;
  const directory = mkdtempSync(join(tmpdir(), "page-"));
  const complaints: string[] = [];
  /** The server goes away in one test: then the browser may say so. */
  let away = false;

  async function open(hash = ""): Promise<void> {
    await page.goto("about:blank");
    await page.goto(server.address + hash);
    await page.locator(".plot canvas").first().waitFor();
  }
  const soon = (script: string) => expect.poll(() => page.evaluate(script), { interval: 5, timeout: 10_000 });
  const cell = (row: number, column: number) => `document.querySelectorAll(".readout tbody tr")[${row}]?.children[${column}].textContent`;

  beforeAll(async () => {
    await build({ configFile: new URL("../page/vite.config.ts", import.meta.url).pathname, build: { outDir: directory } });
    browser = await chromium.launch({ executablePath: executable!, args: ["--no-sandbox"] });
    server = await servePage(directory, Array.from({ length: 20 }, (_, place) => syntheticRun(place, 5000, place === 0 ? 6000 : 5000)));
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type()) && !away) complaints.push(`${message.text()} ${message.location().url}`);
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith(server.address) && request.url() !== "about:blank") complaints.push(`asked for ${request.url()}`);
    });
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await server.close();
    expect(complaints).toEqual([]);
  });

  it("draws 20 runs of 5,000 steps in a second, and hovers without long frames", async () => {
    let [first, longest, crowd] = [Infinity, Infinity, 1];
    // The first round that keeps both bounds ends it. Times are those of a machine that nobody shares.
    for (let round = 0; round < 3 && !(first < 1000 && longest < 50); round++) {
      await page.goto("about:blank");
      crowd = crowding();
      const start = performance.now();
      await page.goto(server.address);
      await page.evaluate(`new Promise((resolve) => (function look() {
        const cells = [...document.querySelectorAll(".readout td:nth-of-type(3)")];
        if (cells.length === 20 && cells.every((cell) => cell.textContent !== "–")) resolve(); else requestAnimationFrame(look);
      })())`);
      first = Math.min(first, (performance.now() - start) / crowd);
      await page.waitForTimeout(200);
      await page.evaluate("window.seen = []; (function tick(at) { if (at) seen.push(at); requestAnimationFrame(tick); })()");
      const box = (await page.locator(".u-over").first().boundingBox())!;
      for (let x = 10; x < box.width; x += 10) await page.mouse.move(box.x + x, box.y + 40 + (x % 50));
      const frames = await page.evaluate<number[]>("seen");
      longest = Math.min(longest, Math.max(...frames.slice(1).map((at, i) => at - frames[i]!)) / crowd);
      await soon("document.querySelector('.readout thead th').textContent").toMatch(/^Step \d+$/);
    }
    console.log(`first screen ${first.toFixed(0)} ms, longest frame while hovering ${longest.toFixed(0)} ms, by a clock ${crowd.toFixed(1)} times slowed for what else ran`);
    expect(first).toBeLessThan(1000);
    expect(longest).toBeLessThan(50);
  });

  it("shows runs with verdicts in words, and their figures", async () => {
    await open("#run=run-1");
    expect(await page.locator(".runs tbody tr").nth(1).innerText()).toContain("collapsed at step 60: 93 % of prompts answer 1");
    expect(await page.locator("figcaption strong").allInnerTexts()).toEqual(expect.arrayContaining(["Held-out pass@1", "KL to the start", "Entropy"]));
    await page.getByText("hollow: validation").first().waitFor();
  });

  it("shows a new step within 200 ms after the server has it", async () => {
    await open("#run=run-0");
    await soon(cell(0, 3)).not.toBe("–");
    let best = Infinity;
    const crowd = crowding();
    for (let step = 5001; step <= 5005 && !(best < 200); step++) {
      const start = performance.now();
      server.send(syntheticRun(0, step, 6000));
      await soon(`document.querySelectorAll(".plot")[2].getAttribute("aria-valuemax") === "${step}"`).toBe(true);
      best = Math.min(best, (performance.now() - start) / crowd);
    }
    console.log(`a new step is drawn after ${best.toFixed(0)} ms`);
    expect(best).toBeLessThan(200);
  });

  it("says that the server is gone, and catches up when it is back", async () => {
    await open("#run=run-3");
    await soon(cell(0, 3)).not.toBe("–");
    away = true;
    await server.stop();
    await page.getByRole("alert").getByText("The server does not answer").waitFor();
    server.send(syntheticRun(3, 5007, 6000));
    await server.start();
    await soon(`document.querySelectorAll(".plot")[2].getAttribute("aria-valuemax")`).toBe("5007");
    await page.getByRole("alert").waitFor({ state: "detached" });
    away = false;
  });

  it("reads a run anew when a resumption has gone back", async () => {
    await open("#run=run-5");
    await soon(cell(0, 3)).not.toBe("–");
    const before = Number(await page.evaluate(cell(0, 8)));
    server.send({ ...syntheticRun(5, 4000, 6000), revision: 1 });
    await soon(`document.querySelectorAll(".plot")[2].getAttribute("aria-valuemax")`).toBe("4000");
    const after = Number(await page.evaluate(cell(0, 8)));
    // Its figures are a tenth of what they were; nothing of before is left.
    expect(after).toBeGreaterThan(0);
    expect(after).toBeLessThan(before / 5);
  });

  it("tells a screen reader of a verdict that changes, and of no other news", async () => {
    await open("#run=run-6");
    const said = "document.querySelector('[role=status][aria-live=polite]').textContent";
    server.send(syntheticRun(6, 5001, 6000));
    await soon(`document.querySelectorAll(".plot")[2].getAttribute("aria-valuemax")`).toBe("5001");
    expect(await page.evaluate(said)).toBe("");
    const run = syntheticRun(6, 5002, 6000);
    server.send({ ...run, health: { ...run.health, level: "watch", text: "watch: KL is 0.7" } });
    await soon(said).toBe("srt-6: watch: KL is 0.7");
  });

  it("restores a link, zooms by dragging, and goes back", async () => {
    await open("#run=run-2&run=run-7&log=xy&smooth=20&from=100&to=400&step=150");
    expect(await page.locator(".runs input:checked").count()).toBe(2);
    expect(await page.locator("figcaption em").first().innerText()).toBe("smoothed over 20 steps");
    expect(await page.locator(".readout thead th").first().innerText()).toBe("Step 150");
    const box = (await page.locator(".u-over").first().boundingBox())!;
    await page.mouse.move(box.x + 120, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 220, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await soon('!location.hash.includes("from=100&")').toBe(true);
    await page.goBack();
    await soon('location.hash.includes("from=100&to=400")').toBe(true);
    await page.mouse.dblclick(box.x + 150, box.y + 60);
    await soon('!location.hash.includes("from=")').toBe(true);
  });

  it("pins a step by the mouse and by keys, in the address but not in the way of the back button", async () => {
    await open("#run=run-2&run=run-7");
    const [, entries] = await page.evaluate<[string | null, number]>(PLACE);
    const slider = page.locator(".plot").nth(2);
    await page.locator(".u-over").first().click({ position: { x: 100, y: 50 } });
    await page.mouse.move(5, 5);
    await soon(`${PLACE}[0]`).toMatch(/^\d+$/);
    const pinned = (await page.evaluate<[string, number]>(PLACE))[0];
    await soon("document.querySelector('.readout thead th').textContent").toBe(`Step ${pinned}`);
    await slider.focus();
    for (const [key, step] of [["Home", "0"], ["ArrowRight", "1"], ["ArrowRight", "2"], ["PageDown", "0"], ["PageUp", "10"]] as const) {
      await page.keyboard.press(key);
      expect(await slider.getAttribute("aria-valuenow")).toBe(step);
    }
    // The line of the step stands where the step is, in every chart.
    const lines = "[...document.querySelectorAll('.plot')].slice(0, 3).map((plot) => plot.querySelector('.u-cursor-x').style.transform)";
    await soon(`new Set(${lines}).size`).toBe(1);
    await soon(PLACE).toEqual(["10", entries]);
    expect(await page.locator(".readout thead th").first().innerText()).toBe("Step 10");
    expect(await slider.getAttribute("aria-valuetext")).toMatch(/^step 10: srt-2 0\.\d+ and 0\.\d+, srt-7 /);
    await page.keyboard.press("Escape");
    await soon(PLACE).toEqual([null, entries]);
  });

  it("opens the votes of the pinned step, and holds a slider and a search that move on in one entry of the history", async () => {
    await open("#run=run-2&step=25");
    const [, entries] = await page.evaluate<[string | null, number]>(PLACE);
    await page.getByRole("link", { name: "its votes" }).click();
    // The last recorded step before it.
    await page.getByText("step 20 (2 of 3 recorded)").waitFor();
    await soon(PLACE).toEqual(["25", entries + 1]);
    await page.getByRole("slider", { name: "Recorded step" }).press("ArrowRight");
    await soon(PLACE).toEqual(["30", entries + 1]);
    await page.getByRole("searchbox").pressSequentially("apples", { delay: 20 });
    await soon("location.hash.includes('apples')").toBe(true);
    expect((await page.evaluate<[string, number]>(PLACE))[1]).toBe(entries + 1);
    await page.goBack();
    await page.getByRole("heading", { name: "Is it learning?" }).waitFor();
    await page.goForward();
    await soon("document.querySelector('input[type=search]')?.value").toBe("apples");
  });

  it("lets a run stand out that the mouse or the keyboard is at, in the list and in a chart", async () => {
    await open("#run=run-2&run=run-7");
    await soon(cell(1, 3)).not.toBe("–");
    await page.locator(".runs tbody tr").nth(2).hover();
    await soon(LIT).toEqual(["srt-2"]);
    expect(await page.evaluate(HIGHLIGHTS)).toBeGreaterThanOrEqual(3);
    await page.locator(".runs input").nth(7).focus();
    await page.mouse.move(5, 5);
    await page.locator(".runs input").nth(2).focus();
    await page.keyboard.press("Tab");
    await page.locator(".runs input").nth(7).focus();
    await soon(LIT).toEqual(["srt-7"]);
    // Down through the chart of held-out accuracy: the seventh run lies 0.15 above the second throughout.
    const box = (await page.locator(".u-over").first().boundingBox())!;
    const met: string[] = [];
    for (let y = 5; y < box.height; y += 10) {
      await page.mouse.move(box.x + box.width / 2, box.y + y);
      await page.waitForTimeout(150);
      met.push(...(await page.evaluate<string[]>(LIT)));
    }
    expect(met.filter((name, i) => name !== met[i - 1])).toEqual(["srt-7", "srt-2"]);
    await page.mouse.move(5, 5);
    await soon(HIGHLIGHTS).toBe(0);
  });

  it("shows where a run comes from in a dialog that Escape and the back button close", async () => {
    await open("#run=run-2");
    await page.getByRole("button", { name: "Details of srt-2" }).click();
    const dialog = page.getByRole("dialog", { name: "srt-2" });
    await dialog.getByText("/runs/<b>srt</b>").waitFor();
    const rows = async (caption: string) => (await dialog.locator("table", { has: page.getByText(caption, { exact: true }) }).locator("tr").allTextContents());
    expect(await rows("Other than the default")).toEqual(["seed3", "steps5000"]);
    expect(await rows("Found on the machine")).toEqual(["nodev20.20.2", "cores2"]);
    await dialog.getByText("Complete config (3 keys)").click();
    expect(await rows("Config")).toEqual(["seed3", "engine.kindonnx", "steps5000"]);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await page.evaluate("[document.activeElement.textContent, location.hash]")).toEqual(["Details", "#run=run-2"]);
    await page.goBack();
    await dialog.waitFor();
    await page.goBack();
    await dialog.waitFor({ state: "detached" });
  });

  it("moves nothing for those who asked for less motion", async () => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await open("#run=run-2");
    const moving = "[...document.querySelectorAll('*')].filter((element) => { const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(element); return animationName !== 'none' || transitionDuration !== '0s' || scrollBehavior !== 'auto'; }).length";
    expect(await page.evaluate(moving)).toBe(0);
    await page.emulateMedia({ reducedMotion: "no-preference" });
  });

  it.each([360, 1280, 3840])("fits %i pixels in light and dark", async (width) => {
    await page.setViewportSize({ width, height: width === 3840 ? 2160 : 900 });
    const shots = process.env["PAGE_SHOTS"];
    await open(shots === undefined ? "#run=run-1&run=run-2&run=run-7" : "");
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      if (shots !== undefined) {
        await page.waitForTimeout(600);
        await page.screenshot({ path: join(shots, `${width}-${colorScheme}.png`) });
      }
      await soon("document.documentElement.scrollWidth").toBe(width);
    }
  });
});
