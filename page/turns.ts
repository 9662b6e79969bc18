/** What draws charts one after the other, so that many at once hold nothing up. */
export interface Turns {
  /** Draws in a frame of its own, `after` a time of `performance.now()`. Of several draws for one `place` the last counts. */
  readonly draw: (place: object, after: number, draw: () => void) => void;
  /** Forgets what waits to be drawn at a place that is gone. */
  readonly forget: (place: object) => void;
}

export function createTurns(): Turns {
  const waiting = new Map<object, { readonly after: number; readonly draw: () => void }>();
  let frame = 0;
  const run = (now: number): void => {
    frame = 0;
    const [place, turn] = [...waiting].find(([, { after }]) => after <= now) ?? [];
    if (place !== undefined) waiting.delete(place);
    turn?.draw();
    if (waiting.size > 0) frame = requestAnimationFrame(run);
  };
  return {
    draw: (place, after, draw) => {
      waiting.set(place, { after, draw });
      frame ||= requestAnimationFrame(run);
    },
    forget: (place) => waiting.delete(place),
  };
}
