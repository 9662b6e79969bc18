import { fileURLToPath } from "node:url";

/** The folder of the built-in model, which ships with the package beside its code. */
export function builtinModelFolder(): string {
  return fileURLToPath(new URL("../../models/builtin", import.meta.url));
}
