import { marked } from "marked";
import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import type { Claim, Report } from "./document.ts";
import { renderSvg } from "./figure.ts";
import { htmlReport } from "./html.ts";
import { markdownReport } from "./markdown.ts";

const chart = {
  title: "SRT rises",
  caption: "npx selftrain reproduce --figure rise",
  panels: [{ title: "pass@1", x: { label: "step" }, y: { label: "pass@1" }, series: [{ name: "SRT", points: [{ x: 0, y: 0.4 }, { x: 10, y: 0.9 }] }] }],
};
const section: Claim = {
  id: "rise",
  title: "SRT matches ground truth early",
  claim: "SRT reaches what training with labels reaches.",
  rule: "Holds when the interval of the difference at the peak ends above -0.05.",
  verdict: "holds in part",
  effect: "-0.02 (95 % interval -0.06 to 0.01)",
  text: ["The peak comes at step 40.", "Later it falls."],
  table: { head: ["arm", "best pass@1"], rows: [["SRT", "0.93"], ["ground truth", "0.95"]] },
  chart,
  commands: ["npx selftrain reproduce --figure rise --seeds 3"],
};
const report = (...sections: readonly Claim[]): Report => ({ title: "Reproduction", intro: ["Three seeds."], sections, environment: [["node", "v22.0.0"]] });

/** What a model may write. */
const HOSTILE = "</td><script>alert(1)</script> <!-- & &amp; \"q\" 'a' | `code` ``` $x^2$ *a* _b_ ~~c~~ [link](javascript:x) ![i](y) \\\\ \u0000\u001b\u202e\n# no heading\n- no list\n| a |";
/** The same as it shall be read, its line feeds as spaces. */
const SHOWN = HOSTILE.replace("\u0000\u001b\u202e", "␀␛\ufffd").replaceAll("\n", " ");
const hostile: Claim = {
  id: "collapse",
  title: "[A] *title* | <b>`x`</b> & co",
  claim: HOSTILE,
  rule: HOSTILE,
  verdict: "does not hold here",
  effect: HOSTILE,
  text: [HOSTILE, "# no heading", "- no list", "+ no list", "12. no list", "3) no list", "> no quote", "===", "    no code"],
  table: { head: [HOSTILE, "b"], rows: [[HOSTILE, HOSTILE]] },
  chart: { ...chart, title: HOSTILE, caption: HOSTILE },
  commands: [HOSTILE],
};

interface Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** All text within, its white space as single spaces. */
  text: string;
}

/** The elements of well-formed markup, in the order in which they end. Throws for other markup. */
function parse(markup: string): readonly Node[] {
  const open: Node[] = [];
  const closed: Node[] = [];
  const parser = new SaxesParser();
  parser.on("opentag", ({ name, attributes }) => open.push({ name, attributes, text: "" }));
  parser.on("text", (text) => open.forEach((node) => (node.text += text)));
  parser.on("closetag", () => {
    const node = open.pop()!;
    closed.push({ ...node, text: node.text.replaceAll(/\s+/g, " ").trim() });
  });
  parser.on("error", (error) => {
    throw error;
  });
  parser.write(markup).close();
  return closed;
}

const named = (nodes: readonly Node[], ...names: readonly string[]): readonly Node[] => nodes.filter(({ name }) => names.includes(name));
const textsOf = (nodes: readonly Node[], ...names: readonly string[]): readonly string[] => named(nodes, ...names).map(({ text }) => text);

describe("htmlReport", () => {
  it("has the verdicts on top, then a section for each claim with its figure, then the environment", () => {
    const html = htmlReport(report(section, { ...section, id: "cure", verdict: "holds" }));
    const nodes = parse(html);
    expect(textsOf(nodes, "h1")).toEqual(["Reproduction"]);
    const [links, sections] = [named(nodes, "a"), named(nodes, "section")].map((each) => each.map(({ attributes }) => attributes));
    expect(links!.map(({ href }) => href)).toEqual(["#rise", "#cure"]);
    expect(sections!.map(({ id }) => id)).toEqual(["rise", "cure"]);
    expect(html.indexOf("</table>")).toBeLessThan(html.indexOf("<section"));
    expect(textsOf(nodes, "span")).toEqual(["◐ holds in part", "● holds", "◐ holds in part", "● holds"]);
    expect(textsOf(nodes, "dd")).toEqual([section.claim, section.rule, "◐ holds in part", section.effect, section.claim, section.rule, "● holds", section.effect, "v22.0.0"]);
    expect(textsOf(nodes, "p")).toEqual(["Three seeds.", ...section.text, ...section.text]);
    expect(textsOf(nodes, "code")).toEqual([section.commands[0], section.commands[0]]);
    expect(html).toContain(renderSvg(chart));
  });

  it("loads nothing and runs nothing", () => {
    const html = htmlReport(report(section));
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(parse(html).flatMap(({ attributes }) => Object.keys(attributes)).filter((name) => name === "src" || name.startsWith("on"))).toEqual([]);
    expect(html).not.toMatch(/url\((?!#)|@import/);
  });

  it("shows literally whatever its texts hold", () => {
    const nodes = parse(htmlReport(report(hostile)));
    expect(named(nodes, "script", "img")).toEqual([]);
    expect(textsOf(nodes, "th", "td", "dd", "code").filter((text) => text === SHOWN)).toHaveLength(2 + 1 + 2 + 3 + 1);
    expect(textsOf(nodes, "h2", "a")).toEqual([hostile.title, hostile.title, "Environment"]);
    expect(textsOf(nodes, "p")).toContain(SHOWN);
  });

  it("is a document without any section", () => {
    expect(textsOf(parse(htmlReport({ ...report(), environment: [] })), "h1", "h2", "p")).toEqual(["Reproduction", "Three seeds."]);
  });
});

describe("markdownReport", () => {
  /** The elements that a Markdown parser makes of it. */
  const rendered = (markdown: string): readonly Node[] => {
    const html = marked.parse(markdown, { async: false });
    return parse(`<body>${html.replaceAll(/<(br|img [^>]*[^/])>/g, "<$1/>").replaceAll("<br/>", "<br/> ")}</body>`);
  };

  it("has the same parts, with a link to each figure's file", () => {
    const markdown = markdownReport(report(section));
    expect(markdown).toContain("![SRT rises](figures/rise.svg)");
    expect(markdownReport(report(section), "pictures")).toContain("![SRT rises](pictures/rise.svg)");
    const nodes = rendered(markdown);
    expect(textsOf(nodes, "h1", "h2")).toEqual(["Reproduction", section.title, "Environment"]);
    expect(textsOf(nodes, "td")).toEqual([section.title, section.claim, section.verdict, section.effect, "SRT", "0.93", "ground truth", "0.95", "node", "v22.0.0"]);
    expect(textsOf(nodes, "li")).toEqual([`Claim: ${section.claim}`, `Rule: ${section.rule}`, `Verdict: ${section.verdict}`, `Effect: ${section.effect}`]);
    expect(textsOf(nodes, "code")).toEqual([section.commands[0]]);
    expect(named(nodes, "a").map(({ attributes }) => attributes["href"] ?? attributes["id"])).toEqual(["#rise", "rise"]);
  });

  it("shows literally whatever its texts hold", () => {
    const nodes = rendered(markdownReport({ ...report(hostile), environment: [[HOSTILE, HOSTILE]] }));
    expect(named(nodes, "script", "em", "del", "ol", "blockquote", "h3")).toEqual([]);
    expect(named(nodes, "img").map(({ attributes }) => attributes["src"])).toEqual(["figures/collapse.svg"]);
    expect(named(nodes, "h1", "h2")).toHaveLength(3);
    expect(textsOf(nodes, "h2", "th", "td").filter((text) => text === SHOWN)).toHaveLength(2 + 1 + 2 + 2);
    expect(textsOf(nodes, "h2", "a")).toEqual([hostile.title, "", hostile.title, "Environment"]);
    expect(textsOf(nodes, "p")).toEqual(["Three seeds.", "", SHOWN, ...hostile.text.slice(1).map((text) => text.trim()), ""]);
    expect(textsOf(nodes, "li")).toContain(`Claim: ${SHOWN}`);
    expect(textsOf(nodes, "code")).toEqual([SHOWN]);
  });
});
