import { isClaim } from "./document.ts";
import type { Claim, Report, Section, Table } from "./document.ts";
import { printable } from "./text.ts";

/** Characters that mean something to Markdown anywhere in a line. */
const SPECIAL = /[\\`*_[\]|~$]/g;
/** What makes a line a heading, a list, a quote or a rule where it begins one. */
const AT_START = /^(\s*)(?:(\d+)([.)])|([#+=-]))/;

/** A text that Markdown shows literally, on one line. */
function inline(text: string): string {
  return printable(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(SPECIAL, "\\$&")
    .replaceAll("\n", "<br>");
}

/** A text that is a paragraph of its own. */
function paragraph(text: string): string {
  return inline(text.trim()).replace(AT_START, (_, spaces: string, number: string | undefined, dot: string, sign: string) => (number === undefined ? `${spaces}\\${sign}` : `${spaces}${number}\\${dot}`));
}

/**
 * A report in Markdown (GitHub's, for its tables), all text escaped. The figure of section ID is expected at
 * `figures/ID.svg` beside the file, or in another folder.
 */
export function markdownReport({ title, intro, sections, environment }: Report, figures = "figures"): string {
  const blocks = [
    `# ${inline(title)}`,
    ...intro.map(paragraph),
    ...(sections.some(isClaim) ? [summary(sections.filter(isClaim))] : []),
    ...sections.flatMap((section) => sectionBlocks(section, figures)),
    ...(environment.length === 0 ? [] : ["## Environment", markdownTable([["", ""], ...environment.map((pair) => pair.map(inline))])]),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function summary(sections: readonly Claim[]): string {
  const rows = sections.map(({ id, title, claim, verdict, effect }) => [`[${inline(title)}](#${id})`, inline(claim), `**${verdict}**`, inline(effect)]);
  return markdownTable([["figure", "claim", "verdict", "effect"], ...rows]);
}

function sectionBlocks(section: Section | Claim, figures: string): readonly string[] {
  const { id, title, text, table, chart, commands } = section;
  return [
    `<a id="${id}"></a>`,
    `## ${inline(title)}`,
    ...(isClaim(section) ? [judgement(section)] : []),
    ...text.map(paragraph),
    ...(chart ? [`![${inline(chart.title)}](${figures}/${id}.svg)`] : []),
    ...(table ? [escapedTable(table)] : []),
    ...(commands.length === 0 ? [] : [fenced(commands.join("\n"))]),
  ];
}

function judgement({ claim, rule, verdict, effect }: Claim): string {
  return [`**Claim:** ${inline(claim)}`, `**Rule:** ${inline(rule)}`, `**Verdict:** ${verdict}`, `**Effect:** ${inline(effect)}`].map((line) => `- ${line}`).join("\n");
}

const escapedTable = ({ head, rows }: Table): string => markdownTable([head, ...rows].map((row) => row.map(inline)));

/** Rows of Markdown as a table, the first row its heading. */
function markdownTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

/** A block of code, within a fence that is longer than any in it. */
function fenced(code: string): string {
  const fence = "`".repeat(Math.max(3, ...[...code.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `${fence}sh\n${printable(code)}\n${fence}`;
}
