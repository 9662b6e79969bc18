import { describe, expect, it } from "vitest";
import { renderSvg } from "./figure.ts";
import { renderPng } from "./png.ts";

// Read when the native code loads, which is when the first picture is drawn: as on a machine without any font.
process.env["DISABLE_SYSTEM_FONTS_LOAD"] = "1";

const svg = renderSvg({
  title: "Plain SRT rises, then collapses",
  caption: "Mean of three seeds.",
  panels: [
    {
      title: "held-out pass@1",
      x: { label: "training step" },
      y: { label: "pass@1" },
      series: [
        { name: "SRT", color: "vermillion", points: [{ x: 0, y: 0.4, low: 0.3, high: 0.5 }, { x: 10, y: 0.9, low: 0.8, high: 1 }] },
        { name: "ground truth", color: "blue", points: [{ x: 0, y: 0.4 }, { x: 10, y: 0.8 }] },
      ],
    },
  ],
});

/** The picture's pixels. */
async function decode(png: Uint8Array): Promise<{ readonly width: number; readonly height: number; readonly data: Uint8ClampedArray }> {
  const { createCanvas, loadImage } = await import("@napi-rs/canvas");
  const image = await loadImage(Buffer.from(png));
  const context = createCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height);
}

/** How many pixels of a rectangle have each color, as `#rrggbb`. */
function colorCounts({ width, data }: { readonly width: number; readonly data: Uint8ClampedArray }, top: number, bottom: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let pixel = top * width; pixel < bottom * width; pixel++) {
    const color = `#${Buffer.from(data.subarray(4 * pixel, 4 * pixel + 3)).toString("hex")}`;
    counts.set(color, (counts.get(color) ?? 0) + 1);
  }
  return counts;
}

describe("renderPng", () => {
  it("draws the figure at twice its size on white, with the colors of its series", async () => {
    const png = await renderPng(svg);
    const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg)!;
    // The header of a PNG: signature, length and name of IHDR, then width and height (RFC 2083, section 4.1.1).
    expect(Buffer.from(png).subarray(1, 4).toString("latin1")).toBe("PNG");
    expect(Buffer.from(png).readUInt32BE(16)).toBe(2 * Number(width));
    expect(Buffer.from(png).readUInt32BE(20)).toBe(2 * Number(height));
    const picture = await decode(png);
    const colors = colorCounts(picture, 0, picture.height);
    expect(colors.get("#ffffff")).toBeGreaterThan(0.7 * picture.width * picture.height);
    for (const color of ["#d55e00", "#0072b2"]) expect(colors.get(color)).toBeGreaterThan(500);
    expect(colors.size).toBeGreaterThan(50);
  });

  it("has its text without a font on the machine", async () => {
    const { GlobalFonts } = await import("@napi-rs/canvas");
    const picture = await decode(await renderPng(svg));
    expect(GlobalFonts.families.map(({ family }) => family)).toEqual(["Roboto"]);
    const title = Number(/<text x="20" y="([\d.]+)"/.exec(svg)![1]);
    const ink = colorCounts(picture, 2 * Math.floor(title) - 24, 2 * Math.ceil(title)).get("#111111");
    expect(ink).toBeGreaterThan(300);
  });
});
