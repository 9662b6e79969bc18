import type { Figure } from "../figure.ts";
import { ablations } from "./ablations.ts";
import { collapse } from "./collapse.ts";
import { controls } from "./controls.ts";
import { cure } from "./cure.ts";
import { curriculum } from "./curriculum.ts";
import { earlyStopping } from "./early-stopping.ts";
import { ladder } from "./ladder.ts";
import { offlineLabels } from "./offline-labels.ts";
import { rise } from "./rise.ts";
import { testTime } from "./test-time.ts";
import { voteGap } from "./vote-gap.ts";

/** All figures, in the order of the report. */
export const figures: readonly Figure[] = [voteGap, rise, collapse, testTime, earlyStopping, offlineLabels, curriculum, ablations, controls, ladder, cure];
