export { formatConfig, parseConfig, parseSettings } from "./file.ts";
export { configKeys } from "./keys.ts";
export type { ConfigKey } from "./keys.ts";
export { flagSettings, resolveConfig } from "./settings.ts";
export type { Setting, Settings } from "./settings.ts";
