import { describe, expect, it } from "vitest";
import { escapeMarkup, printable, textWidth, wrapped } from "./text.ts";

describe("printable", () => {
  it("shows control characters as their symbols", () => {
    expect(printable("bell\u0007 escape\u001b[31m delete\u007f null\u0000")).toBe("bell␇ escape␛[31m delete␡ null␀");
  });

  it("shows what turns the direction of reading, and what XML forbids, as U+FFFD", () => {
    expect(printable("a\u202eb c\u2066d e\ufffef \ud800g \u0085h")).toBe("a\ufffdb c\ufffdd e\ufffdf \ufffdg \ufffdh");
  });

  it("keeps letters, signs, pairs of surrogates and line feeds", () => {
    const text = "x ≥ −1 → π\n🙂 日本";
    expect(printable(text)).toBe(text);
    expect(printable("a\tb\r\nc\rd")).toBe("a b\nc␍d");
  });
});

describe("escapeMarkup", () => {
  it("leaves nothing that ends content or a quoted attribute", () => {
    expect(escapeMarkup(`<script>"a" & 'b'</script>`)).toBe("&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
  });
});

describe("wrapped", () => {
  it("breaks at spaces and line feeds", () => {
    const text = "one standard error on either side\nnpx selftrain reproduce";
    const lines = wrapped(text, textWidth("one standard error", 12), 12);
    expect(lines).toEqual(["one standard error", "on either side", "npx selftrain", "reproduce"]);
  });

  it("breaks within a word that is longer than a line, and loses no letter", () => {
    const path = "/a/very/long/path/without/any/space/in/it";
    const lines = wrapped(`see ${path} there`, 100, 12);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.join("").replaceAll(" ", "")).toBe(`see${path}there`);
    for (const line of lines) expect(textWidth(line, 12)).toBeLessThanOrEqual(100);
  });

  it("makes a line of an empty text and of each empty paragraph", () => {
    expect(wrapped("", 100, 12)).toEqual([""]);
    expect(wrapped("a\n\nb", 100, 12)).toEqual(["a", "", "b"]);
  });
});
