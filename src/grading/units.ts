/** Units by their one canonical name. Whole words only: a single letter is a variable before it is a unit. */
const UNITS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "centimeter cm centimeters centimetre centimetres",
    "millimeter mm millimeters millimetre millimetres",
    "kilometer km kilometers kilometre kilometres",
    "meter m meters metre metres",
    "inch inches in",
    "foot feet ft",
    "yard yards yd",
    "mile miles mi",
    "unit units",
    "kilogram kg kilograms",
    "gram g grams",
    "milligram mg milligrams",
    "pound pounds lb lbs",
    "ounce ounces oz",
    "liter l liters litre litres",
    "milliliter ml milliliters",
    "second s seconds sec secs",
    "minute min minutes mins",
    "hour h hours hr hrs",
    "day days",
    "week weeks",
    "month months",
    "year years yr yrs",
    "dollar dollars usd",
    "cent cents",
    "euro euros",
    "degree degrees deg °",
    "radian radians rad",
    "newton newtons",
    "joule joules",
    "watt watts",
    "volt volts",
    "mile/hour mph",
    "kilometer/hour kmh kph",
  ].flatMap((line) => {
    const names = line.split(" ");
    return names.map((name) => [name, names[0]!]);
  }),
);

/** Words that are read as a unit when they follow a number outside `\text{}`. */
export const isUnitWord = (word: string): boolean =>
  word.length > 1 && word !== "in" && word !== "min" && (Object.hasOwn(UNITS, word.toLowerCase()) || /^(?:square|cubic|sq)$/i.test(word));

/**
 * The canonical form of a unit as written, e.g. `cm`, `square centimeters`, `km/h`; words that are in no
 * table stand for themselves (`boys`), without case and plural.
 */
export function canonicalUnit(text: string): string {
  const words = text
    .toLowerCase()
    .replace(/²/g, "^2")
    .replace(/³/g, "^3")
    .replace(/[.{}$\\]/g, "")
    .replace(/\s*\^\s*/g, "^")
    .replace(/\bper\b/g, "/");
  return words.split("/").map(canonicalProduct).join("/");
}

function canonicalProduct(text: string): string {
  const words = text.trim().split(/\s+/).flatMap((word) => canonicalWord(word));
  const squared = words[0] === "square" || words[0] === "sq";
  const cubed = words[0] === "cubic" || words[0] === "cu";
  if (squared || cubed) return `${words.slice(1).join(" ")}^${squared ? 2 : 3}`;
  return words.join(" ");
}

/** Words that multiply the number before them. */
const MULTIPLIERS: ReadonlyMap<string, bigint> = new Map([
  ["hundred", 100n], ["thousand", 1000n], ["million", 1_000_000n], ["billion", 1_000_000_000n], ["trillion", 1_000_000_000_000n],
]);

/** The number that the first word of a unit multiplies by, and the unit without it. */
export function multiplierOf(unit: string): { readonly factor: bigint; readonly rest: string } | null {
  const [first = "", ...rest] = unit.split(" ");
  const factor = MULTIPLIERS.get(first.toLowerCase().replace(/s$/, ""));
  return factor === undefined ? null : { factor, rest: rest.join(" ") };
}

/** Whether words change the value beside them, as in `at least 5`, rather than name its unit or meaning. */
export const isQualifier = (words: string): boolean =>
  QUALIFIERS.test(words);
const QUALIFIERS = new RegExp(
  String.raw`\b(?:not|no|non|least|most|more|less|than|fewer|greater|above|below|under|over|infinite|infinitely|infinity|undefined|does|never|mod|modulo` +
    "|times|plus|minus|divided|multiplied|squared|cubed|factorial|power|root|choose|half|halves|thirds?|quarters?|(?:fif|six|seven|eigh|nin|ten|four|hundred|thousand)ths?" +
    String.raw`|repeating|recurring|remainder|base|cent|out)\b`,
);

function canonicalWord(word: string): string[] {
  if (word === "") return [];
  const [name = "", exponent] = word.split("^");
  const known = Object.hasOwn(UNITS, name) ? UNITS[name]! : name.length > 3 && name.endsWith("s") ? name.slice(0, -1) : name;
  return [exponent === undefined || exponent === "" ? known : `${known}^${exponent}`];
}
