import { escapeMarkup } from "./text.ts";

export type Attributes = Readonly<Record<string, string | number>>;

/** An SVG element. Attributes are escaped, numbers rounded to hundredths; `content` is markup. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${typeof value === "number" ? Math.round(value * 100) / 100 : escapeMarkup(value)}"`);
  return content.length === 0 ? `<${name}${pairs.join("")}/>` : `<${name}${pairs.join("")}>${content.join("")}</${name}>`;
}

/** A straight line. */
export function line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes): string {
  return element("line", { x1, y1, x2, y2, ...attributes });
}

/**
 * A line of text of a font size in pixels whose middle lies at the height `y`. Where the letters stand is computed
 * here: many programs do not know `dominant-baseline`.
 */
export function label(x: number, y: number, text: string, size: number, attributes: Attributes = {}): string {
  return element("text", { x, y: y + 0.35 * size, "font-size": size, ...attributes }, escapeMarkup(text));
}
