/** The paper's claims put to the test on the built-in model: `selftrain reproduce`. */
export type { Figure, Finding } from "./figure.ts";
export { figures } from "./figures/index.ts";
export { fullScale, writeFullScale } from "./full-scale.ts";
export { commandLine } from "./job.ts";
export type { Job } from "./job.ts";
export { reportName, reproduce } from "./reproduce.ts";
export type { ReproductionOptions } from "./reproduce.ts";
