import { isClaim } from "./document.ts";
import type { Claim, Report, Section, Table, Verdict } from "./document.ts";
import { renderSvg } from "./figure.ts";
import { escapeMarkup } from "./text.ts";

/** Markup that may stand in a document as it is. Only `html` and `trusted` make it. */
interface Markup {
  readonly markup: string;
}

type Content = string | Markup | readonly Content[];

const trusted = (markup: string): Markup => ({ markup });

/** A template whose values are escaped unless they are markup themselves. */
function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return trusted(parts.map((part, index) => part + (index < values.length ? toMarkup(values[index]!) : "")).join(""));
}

function toMarkup(content: Content): string {
  if (typeof content === "string") return escapeMarkup(content);
  return "markup" in content ? content.markup : content.map(toMarkup).join("");
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --quiet: #5c5c5c; --line: #d9d9d9; --code: #f4f4f2; --holds: #00694d; --part: #8a5a00; --not: #a63d00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e6; --paper: #17181a; --quiet: #a3a3a0; --line: #3a3b3e; --code: #222427; --holds: #4cc9a0; --part: #f0b64a; --not: #ff9466; } }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem; font: 1rem/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1, h2 { line-height: 1.2; }
h2 { margin: 3rem 0 0.75rem; padding-top: 1rem; border-top: 1px solid var(--line); }
a { color: inherit; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.8rem 0.35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; }
th { border-bottom-color: var(--quiet); overflow-wrap: normal; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.3rem 1rem; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 1.5rem 0; }
figure svg { display: block; max-width: 100%; height: auto; border-radius: 4px; }
pre { padding: 0.75rem 1rem; background: var(--code); white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.85rem; border-radius: 4px; }
summary { padding: 0.4rem 0; cursor: pointer; }
.verdict { font-weight: 600; white-space: nowrap; }
.holds { color: var(--holds); } .part { color: var(--part); } .not { color: var(--not); }
@media print { :root { --ink: #000000; --paper: #ffffff; } body { max-width: none; padding: 0; } h2 { break-after: avoid; } figure, pre, tr { break-inside: avoid; } .wide { overflow: visible; } }
`;

/** Besides the color, a sign for each verdict, for those who see no colors. */
const VERDICTS: Readonly<Record<Verdict, { readonly sign: string; readonly className: string }>> = {
  holds: { sign: "●", className: "holds" },
  "holds in part": { sign: "◐", className: "part" },
  "does not hold here": { sign: "○", className: "not" },
};

/**
 * A report as one HTML file that needs no other: figures are drawn into it, and neither scripts nor anything from
 * elsewhere can load. All text is escaped. Throws RangeError for a chart that cannot be drawn.
 */
export function htmlReport({ title, intro, sections, environment }: Report): string {
  return toMarkup(html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>${title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<h1>${title}</h1>
${paragraphs(intro)}
${sections.some(isClaim) ? summary(sections.filter(isClaim)) : []}
${sections.map(sectionMarkup)}
${environment.length === 0 ? [] : html`<h2>Environment</h2>\n${definitions(environment)}`}
</body>
</html>
`);
}

const paragraphs = (texts: readonly string[]): Content => texts.map((text) => html`<p>${text}</p>\n`);

const definitions = (pairs: readonly (readonly [string, Content])[]): Content =>
  html`<dl>\n${pairs.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>\n`;

function verdictMarkup(verdict: Verdict): Content {
  const { sign, className } = VERDICTS[verdict];
  return html`<span class="verdict ${className}">${sign} ${verdict}</span>`;
}

function summary(sections: readonly Claim[]): Content {
  const row = ({ id, title, claim, verdict, effect }: Claim): Content =>
    html`<tr><td><a href="#${id}">${title}</a></td><td>${claim}</td><td>${verdictMarkup(verdict)}</td><td>${effect}</td></tr>\n`;
  return html`<div class="wide"><table>
<thead><tr><th>figure</th><th>claim</th><th>verdict</th><th>effect</th></tr></thead>
<tbody>
${sections.map(row)}</tbody>
</table></div>
`;
}

function sectionMarkup(section: Section | Claim): Content {
  const { id, title, folded = false } = section;
  const content = sectionContent(section);
  if (folded) return html`<section id="${id}">\n<details><summary>${title}</summary>\n${content}</details>\n</section>\n`;
  return html`<section id="${id}">\n<h2>${title}</h2>\n${content}</section>\n`;
}

function judgement({ claim, rule, verdict, effect }: Claim): Content {
  return definitions([["claim", claim], ["rule", rule], ["verdict", verdictMarkup(verdict)], ["effect", effect]]);
}

function sectionContent(section: Section | Claim): Content {
  const { text, table, chart, commands } = section;
  return html`${isClaim(section) ? judgement(section) : []}
${paragraphs(text)}
${chart ? html`<figure>\n${trusted(renderSvg(chart))}</figure>\n` : []}
${table ? tableMarkup(table) : []}
${commands.length === 0 ? [] : html`<pre><code>${commands.join("\n")}</code></pre>\n`}
`;
}

function tableMarkup({ head, rows }: Table): Content {
  return html`<div class="wide"><table>
<thead><tr>${head.map((cell) => html`<th>${cell}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)}</tbody>
</table></div>
`;
}
