import { z } from "zod";
import { configSchema } from "../config.ts";
import { kebabCase } from "./names.ts";

/** A value that a flag can give to a key of the config. */
export type ConfigValue = string | number | boolean;

/** One key of the config, read from the schema: what files, flags, help and error sentences need to know. */
export interface ConfigKey {
  /** As people write it: kebab-case, sections joined by a dot, e.g. `engine.threads`. */
  readonly name: string;
  /** Property names in `Config`, e.g. `["engine", "threads"]`. */
  readonly path: readonly string[];
  /** How a flag's text is read. */
  readonly type: "string" | "number" | "boolean";
  /** What a value must be, e.g. `a whole number of at least 1`. */
  readonly expected: string;
  /** `undefined` for a required key. */
  readonly default: ConfigValue | undefined;
  readonly description: string;
}

/** The part of JSON Schema that the config schema uses. */
interface SchemaNode {
  readonly type?: "object" | "string" | "number" | "integer" | "boolean";
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly default?: ConfigValue;
  readonly description?: string;
  /** What a value must be, where the schema is not simple enough to say so. */
  readonly expected?: string;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

/** Every key, in the order of the schema. */
export const configKeys: readonly ConfigKey[] = keysOf(z.toJSONSchema(configSchema, { io: "input" }) as SchemaNode, []);

/** Names of the sections: keys that hold other keys. */
export const configSections: readonly string[] = [
  ...new Set(configKeys.filter(({ path }) => path.length > 1).map(({ name }) => name.slice(0, name.lastIndexOf(".")))),
];

/** The key of this name (kebab-case, dotted), if there is one. */
export function configKey(name: string): ConfigKey | undefined {
  return configKeys.find((key) => key.name === name);
}

function keysOf(node: SchemaNode, path: readonly string[]): readonly ConfigKey[] {
  if (node.properties !== undefined) {
    return Object.entries(node.properties).flatMap(([property, child]) => keysOf(child, [...path, property]));
  }
  return [
    {
      name: path.map(kebabCase).join("."),
      path,
      type: node.type === "integer" ? "number" : ((node.type ?? "string") as ConfigKey["type"]),
      expected: expectation(node),
      default: node.default,
      description: node.description ?? "",
    },
  ];
}

function expectation(node: SchemaNode): string {
  if (node.expected !== undefined) return node.expected;
  if (node.enum !== undefined) return `one of ${node.enum.map((choice) => `\`${choice}\``).join(", ")}`;
  switch (node.type) {
    case "boolean":
      return "true or false";
    case "integer":
      // An integer above n - 1 reads better as one of at least n.
      return `a whole number${bounds({ ...node, minimum: node.minimum ?? (node.exclusiveMinimum ?? -Infinity) + 1, exclusiveMinimum: -Infinity })}`;
    case "number":
      return `a number${bounds(node)}`;
    default:
      return node.format === "includes" ? `text that contains \`${(node.pattern ?? "").replaceAll("\\", "")}\`` : "text";
  }
}

function bounds({ minimum = -Infinity, exclusiveMinimum = -Infinity, maximum = Infinity, exclusiveMaximum = Infinity }: SchemaNode): string {
  const limits = [
    ...(Number.isFinite(minimum) ? [`at least ${minimum}`] : []),
    ...(Number.isFinite(exclusiveMinimum) ? [`more than ${exclusiveMinimum}`] : []),
    // zod bounds every integer by the largest safe one: no news to anybody.
    ...(maximum < Number.MAX_SAFE_INTEGER ? [`at most ${maximum}`] : []),
    ...(exclusiveMaximum < Infinity ? [`less than ${exclusiveMaximum}`] : []),
  ];
  return limits.length === 0 ? "" : ` of ${limits.join(" and ")}`;
}
