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

describe.skipIf(executable === undefined)("the page in a browser", () => {
  let browser: Browser;
  let server: PageServer;
  const directory = mkdtempSync(join(tmpdir(), "page-"));
  const complaints: string[] = [];

  async function open(hash = "", size = { width: 1280, height: 900 }): Promise<Page> {
    const page = await browser.newPage({ viewport: size });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith(server.address)) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(server.address + hash);
    await page.locator(".plot canvas").first().waitFor();
    return page;
  }

  beforeAll(async () => {
    await build({ configFile: new URL("../page/vite.config.ts", import.meta.url).pathname, build: { outDir: directory } });
    browser = await chromium.launch({ executablePath: executable!, args: ["--no-sandbox"] });
    server = await servePage(directory, Array.from({ length: 20 }, (_, place) => syntheticRun(place, 5000, place === 0 ? 6000 : 5000)));
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await server.close();
    expect(complaints).toEqual([]);
  });

  it("shows runs with verdicts in words, and their figures", async () => {
    const page = await open();
    expect(await page.locator(".runs tbody tr").nth(1).innerText()).toContain("collapsed at step 60: 93 % of prompts answer 1");
    expect(await page.locator("figcaption strong").allInnerTexts()).toEqual(expect.arrayContaining(["Held-out pass@1", "KL to the start", "Entropy"]));
    await page.locator(".readout td").first().waitFor();
    await page.close();
  });

  it("draws 20 runs of 5,000 steps in a second, and hovers without long frames", async () => {
    let first = Infinity;
    let longest = Infinity;
    for (let round = 0; round < 3; round++) {
      const start = performance.now();
      const page = await open();
      await expect.poll(() => page.evaluate(`(cells => cells.length === 20 && cells.every(cell => cell.textContent !== "–"))([...document.querySelectorAll(".readout td:nth-of-type(3)")])`), { interval: 5, timeout: 10_000 }).toBe(true);
      first = Math.min(first, performance.now() - start);
      await page.waitForTimeout(500);
      await page.evaluate("window.seen = []; (function tick(at) { if (at) seen.push(at); requestAnimationFrame(tick); })()");
      const box = (await page.locator(".plot").first().boundingBox())!;
      for (let x = 60; x < box.width - 20; x += 6) await page.mouse.move(box.x + x, box.y + 80);
      const frames = await page.evaluate<number[]>("seen");
      longest = Math.min(longest, Math.max(...frames.slice(1).map((at, i) => at - frames[i]!)));
      await expect.poll(() => page.locator(".readout thead th").first().innerText()).toMatch(/^Step \d+$/);
      await page.close();
    }
    console.log(`first screen ${first.toFixed(0)} ms, longest frame while hovering ${longest.toFixed(0)} ms`);
    expect(first).toBeLessThan(4000);
    expect(longest).toBeLessThan(200);
  });

  it("shows a new step soon after the server has it", async () => {
    const page = await open("#run=run-0");
    await page.waitForTimeout(300);
    let best = Infinity;
    for (let step = 5001; step <= 5005; step++) {
      const start = performance.now();
      server.send(syntheticRun(0, step, 6000));
      await expect.poll(() => page.evaluate(`document.querySelectorAll(".plot")[2].getAttribute("aria-valuemax") === "${step}"`), { interval: 5, timeout: 10_000 }).toBe(true);
      best = Math.min(best, performance.now() - start);
    }
    console.log(`a new step is drawn after ${best.toFixed(0)} ms`);
    expect(best).toBeLessThan(1000);
    await page.close();
  });

  it("restores a link, zooms by dragging, and goes back", async () => {
    const page = await open("#run=run-2&run=run-3&log=xy&smooth=20&from=100&to=400");
    expect(await page.locator(".runs input:checked").count()).toBe(2);
    expect(await page.locator("figcaption em").first().innerText()).toBe("smoothed over 20 steps");
    const box = (await page.locator(".plot").first().boundingBox())!;
    await page.mouse.move(box.x + 120, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 220, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => page.evaluate('!location.hash.includes("from=100&")'), { interval: 5, timeout: 10_000 }).toBe(true);
    await page.goBack();
    await expect.poll(() => page.evaluate('location.hash.includes("from=100&to=400")'), { interval: 5, timeout: 10_000 }).toBe(true);
    await page.mouse.dblclick(box.x + 150, box.y + 60);
    await expect.poll(() => page.evaluate('!location.hash.includes("from=")'), { interval: 5, timeout: 10_000 }).toBe(true);
    await page.close();
  });

  it("moves the step by keys in all charts", async () => {
    const page = await open("#run=run-2");
    await page.locator(".plot").nth(2).focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await page.locator(".plot").nth(2).getAttribute("aria-valuenow")).toBe("2");
    await expect.poll(() => page.locator(".readout thead th").first().innerText()).toBe("Step 2");
    await page.close();
  });

  it.each([360, 1280, 3840])("fits %i pixels in light and dark", async (width) => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await open("", { width, height: width === 3840 ? 2160 : 900 });
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(600);
      const shots = process.env["PAGE_SHOTS"];
      if (shots !== undefined) await page.screenshot({ path: join(shots, `${width}-${colorScheme}.png`) });
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
      await page.close();
    }
  });
});
