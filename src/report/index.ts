export type { Chart, Color, Mark, Panel, Point, Series } from "./chart.ts";
export type { Claim, Report, Section, Table, Verdict } from "./document.ts";
export { renderSvg } from "./figure.ts";
export { htmlReport } from "./html.ts";
export { markdownReport } from "./markdown.ts";
export { renderPng } from "./png.ts";
export { meanBand, pairedDifference } from "./statistics.ts";
export type { Arm, BootstrapOptions, Difference, ProblemRate } from "./statistics.ts";
