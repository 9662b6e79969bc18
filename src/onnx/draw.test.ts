import { describe, expect, it } from "vitest";
import { createRandom } from "../util/random.ts";
import { createDraw } from "./draw.ts";

const probabilities = Float32Array.of(0.1, 0.4, 0, 0.3, 0.2);
const draws = 20_000;

/** How often each token is drawn. */
function frequencies(options: Parameters<typeof createDraw>[1]): number[] {
  const draw = createDraw(probabilities.length, options);
  const random = createRandom(1);
  const counts = new Array<number>(probabilities.length).fill(0);
  for (let index = 0; index < draws; index++) counts[draw(probabilities, 0, random)]! += 1;
  return counts.map((count) => count / draws);
}

/** Five standard errors of a frequency. */
const tolerance = 5 * Math.sqrt(0.25 / draws);

describe("drawing a token", () => {
  const cases: [string, Parameters<typeof createDraw>[1], number[]][] = [
    ["as likely as it is", { temperature: 1, topP: 1, topK: 0 }, [0.1, 0.4, 0, 0.3, 0.2]],
    ["the likeliest at temperature 0", { temperature: 0, topP: 1, topK: 0 }, [0, 1, 0, 0, 0]],
    ["in proportion to p^2 at temperature 1/2", { temperature: 0.5, topP: 1, topK: 0 }, [1, 16, 0, 9, 4].map((weight) => weight / 30)],
    ["among the two likeliest", { temperature: 1, topP: 1, topK: 2 }, [0, 4 / 7, 0, 3 / 7, 0]],
    ["from the smallest set with 60 % of the mass", { temperature: 1, topP: 0.6, topK: 0 }, [0, 4 / 7, 0, 3 / 7, 0]],
    ["from at least one token", { temperature: 1, topP: 0.01, topK: 0 }, [0, 1, 0, 0, 0]],
    ["after top-k, top-p counts what is left", { temperature: 1, topP: 0.5, topK: 2 }, [0, 1, 0, 0, 0]],
  ];
  for (const [name, options, expected] of cases) {
    it(name, () => {
      frequencies(options).forEach((frequency, token) => expect(Math.abs(frequency - expected[token]!)).toBeLessThan(tolerance));
    });
  }

  it("reads its own row", () => {
    const rows = Float32Array.of(1, 0, 0, 1);
    const draw = createDraw(2, { temperature: 1, topP: 1, topK: 0 });
    expect([draw(rows, 0, createRandom(1)), draw(rows, 1, createRandom(1))]).toEqual([0, 1]);
  });
});
