import { existsSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { splitMath } from "../page/math/split.ts";
import { visible } from "../page/math/escape.ts";
import type { InspectedProblem, ProblemOverview, RunOverview } from "../src/watch/protocol.ts";
import { servePages } from "./page-inspect-server.ts";

const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
const absent = !existsSync(executablePath);
if (absent) console.warn(`The tests of the inspector's page are skipped: there is no browser at ${executablePath}.`);

const run = (id: string): RunOverview => ({
  id, name: id, state: "complete", model: "m", reward: "srt", algorithm: "rloo", step: 30, steps: 30, revision: 0, evaluations: 1, recordings: 3,
  health: { level: "healthy", text: "healthy", signs: [] }, secondsPerStep: 1, tokensPerSecond: 1, secondsLeft: null, note: null,
});
const problems = Array.from({ length: 10_000 }, (_, index): ProblemOverview => ({
  index, id: `p${index}`, prompt: index === 1 ? HOSTILE() : `Find $\\frac{${index}}{2}$.`, pseudoLabel: "42", truth: "41", majorityCorrect: index % 2 === 0, shareOfAll: 0.5,
  classes: 1, tied: index % 5 === 0, flipped: index % 10 === 0, samples: 2, abstentions: index % 4 === 0 ? 1 : 0, status: "trained",
}));

function HOSTILE(): string {
  return [
    `<script>alert(1)</script><img src="https://example.org/x" onerror="alert(2)">`,
    `$\\href{javascript:alert(3)}{x}$ $\\htmlData{a=b}{y}$ $\\htmlStyle{position:fixed}{q}$ $\\includegraphics{https://example.org/x}$`,
    `$\\frac{1$ $\\def\\a{\\a\\a}\\a$ $\\pmb{x}$ $\\fcolorbox{red}{blue}{z}$`,
    "bell \u0007 override \u202e zero \u200b lone \ud800 end",
  ].join("\n");
}

function problem(index: number): InspectedProblem {
  const text = index === 1 ? HOSTILE() : index === 2 ? "<b>$x".repeat(200_000) : `So $x^2 = 4$ and \\boxed{42}.`;
  const completion = { text, answer: "42", group: 0, reward: 1, advantage: 0.5, kl: 0.01, tokens: 3, stopReason: "stop", logprobs: [-0.01, -1.5, -6], tokenEnds: index === 3 ? null : [3, 12, 27], answerAt: index > 2 ? { start: 24, end: 26 } : null };
  return { ...problems[index]!, groups: [{ answer: "42", count: 2 - problems[index]!.abstentions, correct: false, spellings: [{ text: "42", count: 2, rule: "the same text" }] }], completions: [completion] };
}

describe("text that a model wrote", () => {
  it("is parted into mathematics and the rest, and money is not mathematics", () => {
    expect(splitMath("It costs $5 and $6; $x$, \\(y\\), \\[z\\], \\boxed{a{b}}.").filter(({ kind }) => kind !== "plain").map(({ source }) => source)).toEqual(["x", "y", "z", "\\boxed{a{b}}"]);
  });
  it("shows what would not show", () => {
    expect(visible("a\u202eb\ud800\n😀").map(({ text }) => text)).toEqual(["a", "\\u202e", "b", "\\ud800", "\n😀"]);
  });
});

describe.skipIf(absent)("the inspector and the comparison in a browser", () => {
  let browser: Browser;
  let page: Page;
  let served: Awaited<ReturnType<typeof servePages>>;
  const noise: string[] = [];
  const open = async (hash: string): Promise<void> => {
    await page.goto("about:blank");
    await page.goto(served.url + hash);
  };
  /** Keeps a picture where SHOTS names a folder. */
  const shoot = async (name: string): Promise<void> => {
    const folder = process.env["SHOTS"];
    if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
  };
  beforeAll(async () => {
    const figure = { difference: 0.03, low: 0.01, high: 0.05 };
    const comparison = { config: [{ key: "lr", first: "1", second: "2", differs: true }, { key: "seed", first: "0", second: "0", differs: false }], differences: [{ step: 10, problems: 100, passAt1: figure, majAtK: { ...figure, low: -0.01 } }, { step: 20, problems: 100, passAt1: figure, majAtK: { ...figure, low: -0.01 } }], reason: null };
    served = await servePages({ runs: [run("a"), run("b")], problems, problem, comparison });
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    page = await browser.newPage();
    page.on("dialog", (dialog) => { noise.push(`dialog ${dialog.message()}`); void dialog.dismiss(); });
    page.on("pageerror", (error) => noise.push(error.message));
    page.on("request", (request) => { if (!/^(data:|about:)/.test(request.url()) && !request.url().startsWith(served.url)) noise.push(request.url()); });
  });
  afterAll(async () => {
    await browser.close();
    served.close();
  });

  it("filters, typesets, and a link opens the same problem", async () => {
    await open("#view=inspect&filter=wrong,tie");
    await page.getByText("1000 of 10000 problems").waitFor();
    await open("#view=inspect&step=20&problem=7");
    await page.locator(".problem .katex").first().waitFor();
    expect(await page.locator("article").getAttribute("aria-label")).toBe("Problem 7");
    expect(await page.locator(".step-choice output").textContent()).toContain("step 20");
    expect(await page.locator(".completion mark").count()).toBe(1);
    await page.getByLabel("10000 problems").press("ArrowDown");
    await page.getByLabel("Problem 8", { exact: true }).waitFor();
    await page.getByText("token logprobs").click();
    await page.getByLabel(/^Tokens/).press("ArrowRight");
    await page.getByText("token 1: logprob -0.0100").waitFor();
    await shoot("inspect-tokens");
  });

  it("lets nothing that a model wrote act, and stays responsive with 1 MB of it", async () => {
    await open("#view=inspect&problem=1");
    await page.locator(".problem .katex").first().waitFor();
    expect(await page.locator("#app script, #app img, #app a, #app [data-a]").count()).toBe(0);
    expect(await page.locator(".problem .escape").allTextContents()).toEqual(expect.arrayContaining(["\\u0007", "\\u202e", "\\u200b"]));
    await shoot("inspect-hostile");
    expect(await page.locator(".problem .untrusted").first().textContent()).toContain("\\href{javascript:alert(3)}{x}");
    expect(await page.locator(".problem .untrusted").first().textContent()).not.toContain("$\\fcolorbox");
    await open("#view=inspect&problem=2");
    const started = Date.now();
    await page.getByText("show all 1,000,000 characters").click();
    await page.getByText("characters 1 to 20,000").waitFor();
    expect(Date.now() - started).toBeLessThan(3000);
    expect(await page.evaluate("window.violations")).toEqual([]);
    expect(noise).toEqual([]);
  });

  it("scrolls 10,000 problems smoothly", async () => {
    await open("#view=inspect");
    await page.locator(".problem-row").first().waitFor();
    const worst = await page.evaluate<number>(`new Promise((resolve) => {
      const list = document.querySelector(".problem-list"); let frames = 0, last = performance.now(), worst = 0;
      const frame = (now) => { if (frames > 2) worst = Math.max(worst, now - last); last = now; list.scrollTop += 700; ++frames < 90 ? requestAnimationFrame(frame) : resolve(worst); };
      requestAnimationFrame(frame); })`);
    console.info(`longest frame while scrolling: ${worst.toFixed(1)} ms`);
    expect(worst).toBeLessThan(250);
    expect(await page.locator(".problem-row").count()).toBeLessThan(60);
  });

  it("fits a narrow screen", async () => {
    await page.setViewportSize({ width: 360, height: 700 });
    for (const view of ["inspect", "compare"]) {
      await open(`#view=${view}`);
      await page.locator(view === "inspect" ? ".completion" : ".compare table").first().waitFor();
      expect(await page.evaluate<number>("document.documentElement.scrollWidth"), view).toBeLessThanOrEqual(360);
      await shoot(`${view}-narrow`);
    }
    await page.setViewportSize({ width: 1280, height: 720 });
  });

  it("compares two runs in words, figures and configs", async () => {
    await open("#view=compare");
    await page.getByText("by pass@1 the second is better; by maj@k no difference is shown").waitFor();
    expect(await page.locator("circle").count()).toBe(4);
    await shoot("compare");
  });
});
