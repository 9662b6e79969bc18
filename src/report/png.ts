import { createRequire } from "node:module";
import { FONT } from "./figure.ts";

/** Pixels of the picture for one of the drawing: figures stay sharp on dense screens and in print. */
const DENSITY = 2;
const WEIGHTS = ["Regular", "Bold"];

/**
 * An SVG document of `renderSvg` as a PNG picture, twice as wide and high as the drawing in pixels. The font comes
 * with the package, so that the picture has its text on a machine without fonts. Loads native code when called.
 */
export async function renderPng(svg: string): Promise<Uint8Array> {
  const { createCanvas, GlobalFonts, loadImage } = await import("@napi-rs/canvas");
  const { resolve } = createRequire(import.meta.url);
  for (const weight of WEIGHTS) GlobalFonts.registerFromPath(resolve(`roboto-fontface/fonts/roboto/Roboto-${weight}.woff2`), FONT);
  const drawing = await loadImage(Buffer.from(svg));
  const canvas = createCanvas(DENSITY * drawing.width, DENSITY * drawing.height);
  canvas.getContext("2d").drawImage(drawing, 0, 0, canvas.width, canvas.height);
  return canvas.encode("png");
}
