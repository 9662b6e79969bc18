/** Name of a step's file or folder, e.g. `step-000010`, in the order of the steps when sorted. */
export function stepName(step: number): string {
  return `step-${String(step).padStart(6, "0")}`;
}

/** The step of such a name, with an optional ending, or `null` when it is something else. */
export function stepOfName(name: string, ending = ""): number | null {
  const match = /^step-(\d{6,})(.*)$/.exec(name);
  return match?.[2] === ending ? Number(match[1]) : null;
}
