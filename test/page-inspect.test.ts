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
  const spellings = index === 7 ? [{ text: "42", count: 1, rule: "same text" }, { text: "42.0", count: 1, rule: "equal as mathematics" }] : [{ text: "42", count: 2, rule: "same text" }];
  const completion = { text, answer: "42", group: 0, reward: 1, advantage: 0.5, kl: 0.01, tokens: 3, stopReason: "stop", logprobs: [-0.01, -1.5, -6], tokenEnds: index === 3 ? null : [3, 12, 27], answerAt: index > 2 ? { start: 24, end: 26 } : null };
  return { ...problems[index]!, groups: [{ answer: "42", count: 2 - problems[index]!.abstentions, correct: false, spellings }], completions: Array.from({ length: index === 4 ? 10_000 : 1 }, (_, place) => ({ ...completion, tokens: 3 + (place % 50), group: place % 3 === 1 ? null : 0 })) };
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
    const compared = { config: [{ key: "lr", first: "1", second: "2", differs: true }, { key: "seed", first: "0", second: "0", differs: false }], differences: [{ step: 10, problems: 100, passAt1: figure, majAtK: { ...figure, low: -0.01 } }, { step: 20, problems: 100, passAt1: figure, majAtK: { ...figure, low: -0.01 } }], reason: null };
    const comparison = (first: string, second: string) => {
      if (second === "gone") return { error: "There is no run of this id here." };
      return second === "none" ? { config: compared.config, differences: [], reason: `runs/${first} has no answers of evaluations.` } : compared;
    };
    served = await servePages({ runs: ["a", "b", "none", "gone"].map(run), problems, problem, comparison });
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

  it.each([360, 3840])("fits a screen of %i pixels", async (width) => {
    await page.setViewportSize({ width, height: width === 360 ? 700 : 2160 });
    for (const view of ["inspect", "compare"]) {
      await open(`#view=${view}`);
      await page.locator(view === "inspect" ? ".completion" : ".compare table").first().waitFor();
      expect(await page.evaluate<number>("document.documentElement.scrollWidth"), view).toBeLessThanOrEqual(width);
      await shoot(`${view}-${width}`);
    }
    await page.setViewportSize({ width: 1280, height: 720 });
  });

  it("compares two runs in words, figures and configs", async () => {
    await open("#view=compare");
    await page.getByText("At step 20, over 100 problems: by pass@1 b is better by 3.0 points (+1.0 to +5.0); by maj@k no difference is shown: the interval, -1.0 to +5.0 points, holds 0.").waitFor();
    expect(await page.locator("circle").count()).toBe(4);
    await shoot("compare");
  });

  it("says why two runs are not compared, and that a link names a run that is not here", async () => {
    await open("#view=compare&run=a&run=none");
    await page.getByText("runs/a has no answers of evaluations.").waitFor();
    expect(await page.locator("th", { hasText: "lr" }).count()).toBe(1);
    await open("#view=compare&run=a&run=gone");
    expect(await page.getByRole("alert").textContent()).toBe("There is no run of this id here.");
    await page.getByLabel("Second").selectOption("b");
    await page.getByText("b is better").waitFor();
    await open("#view=compare&run=a&run=elsewhere");
    expect(await page.getByRole("alert").textContent()).toContain("not here");
    await open("#view=inspect&run=elsewhere");
    expect(await page.getByRole("alert").textContent()).toBe("The run that the address names is not here; this is a.");
  });

  it("shows why spellings are one class, the text as it is written, and what a search finds", async () => {
    await open("#view=inspect&problem=7");
    await page.getByText("42.0 × 1: equal as mathematics").waitFor();
    await page.locator(".problem .katex").first().waitFor();
    await page.getByRole("button", { name: "raw text" }).click();
    expect(await page.locator(".problem .katex").count()).toBe(0);
    expect(await page.locator(".completion-text").textContent()).toBe("So $x^2 = 4$ and \\boxed{42}.");
    await page.getByLabel("Search the questions").fill("{7777}");
    await page.getByText("1 of 10000 problems").waitFor();
    await page.getByLabel("Problem 7777", { exact: true }).waitFor();
    await page.getByLabel("Search the questions").fill("no such question");
    await page.getByText("No problem of this step is so").waitFor();
  });

  it("says it once where a recording has no places of tokens", async () => {
    await open("#view=inspect&problem=3");
    await page.getByRole("button", { name: "token logprobs" }).click();
    await page.getByRole("status").getByText("does not say where tokens end").waitFor();
    expect(await page.locator(".completion-text").textContent()).toContain("So $x^2 = 4$");
  });

  it("finds the least likely token, and shades of it are read at 4.5 to 1 in both schemes", async () => {
    expect(await page.evaluate<number>(`(${CONTRAST})(Object.assign(document.body, { textContent: "" }), "rgb(0, 0, 0)", "rgb(255, 255, 255)")`)).toBeCloseTo(21, 1);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await open("#view=inspect&problem=7");
      await page.getByRole("button", { name: "token logprobs" }).click();
      await page.getByRole("button", { name: "least likely token" }).click();
      await page.getByText("token 3: logprob -6.0000").waitFor();
      for (const selector of [".shade-0", ".shade-1", ".shade-2", ".shade-3", ".shade-4", ".problem-facts", ".problem-facts strong", ".completion .facts", ".token mark", ".glance-said"])
        expect(await page.evaluate<number>(`(${CONTRAST})(document.querySelector("${selector}"))`), `${selector} in ${colorScheme}`).toBeGreaterThanOrEqual(4.5);
      await shoot(`inspect-tokens-${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
  });

  it("shows 10,000 completions at a glance, and opens one by keys", async () => {
    await open("#view=inspect&problem=4");
    await page.getByText("1 to 16 of 10000 completions").waitFor();
    const glance = page.getByRole("slider", { name: "Completions at a glance" });
    const box = (await glance.boundingBox())!;
    await page.evaluate("window.seen = []; (function tick(at) { if (at) seen.push(at); requestAnimationFrame(tick); })()");
    for (let x = 0; x < box.width; x += 20) await page.mouse.move(box.x + x, box.y + 20);
    const frames = await page.evaluate<number[]>("seen");
    const longest = Math.max(...frames.slice(1).map((at, i) => at - frames[i]!));
    console.info(`longest frame while hovering over 10,000 completions: ${longest.toFixed(1)} ms`);
    expect(longest).toBeLessThan(500);
    await glance.press("End");
    // Those without an answer are last; of them the last is number 9,998 of the recording.
    expect(await glance.getAttribute("aria-valuetext")).toMatch(/^Completion 9998: ∅ no answer · reward 1 · advantage \+0\.500 · \d+ tokens/);
    await glance.press("Enter");
    await page.getByText("9985 to 10000 of 10000 completions").waitFor();
    expect(await page.evaluate("document.activeElement.id")).toBe("completion-9998");
    await page.getByRole("button", { name: "Show the completions of class 1" }).click();
    expect(await page.evaluate("document.activeElement.id")).toBe("completion-1");
  });

  it("is reached by the Tab key in the order of reading, and all of it has a name", async () => {
    await open("#view=inspect&problem=7");
    await page.locator(".completion").waitFor();
    const reached: string[] = [];
    for (let tabs = 0; tabs < 20; tabs++) {
      await page.keyboard.press("Tab");
      reached.push(await page.evaluate<string>("document.activeElement.ariaLabel ?? document.activeElement.textContent"));
    }
    const order = ["Recorded step", "Search the questions", "10000 problems", "typeset", "token logprobs", "Show the completions of class 1", "Completions at a glance"].map((name) => reached.indexOf(name));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order).not.toContain(-1);
    // A control without a name stands alone in its line.
    expect(await page.locator("#app").ariaSnapshot()).not.toMatch(/- (?:button|slider|listbox|option|checkbox|searchbox|combobox)(?: \[.*\])?:?$/m);
  });
});

/** In the page: WCAG 2 contrast of an element's text with what lies behind it, or of two colours. */
const CONTRAST = `(element, text, background) => {
  const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  const over = (colours) => { for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); } return context.getImageData(0, 0, 1, 1).data; };
  const luminance = (pixel) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, at) => sum + weight * (pixel[at] / 255 <= 0.04045 ? pixel[at] / 255 / 12.92 : ((pixel[at] / 255 + 0.055) / 1.055) ** 2.4), 0);
  const behind = [];
  for (let each = element; each; each = each.parentElement) behind.unshift(getComputedStyle(each).backgroundColor);
  const [back, front] = [over([...(background ? [background] : behind)]), over([text ?? getComputedStyle(element).color])].map(luminance);
  return (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
}`;
