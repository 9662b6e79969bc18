/**
 * Class number of each answer, numbered from 0 in order of first appearance: an answer joins the first class
 * whose first member it is the same as. For a `same` that is an equivalence.
 */
export function classesBy(answers: readonly string[], same: (left: string, right: string) => boolean): readonly number[] {
  const firsts: string[] = [];
  return answers.map((answer) => {
    const known = firsts.findIndex((first) => same(first, answer));
    return known < 0 ? firsts.push(answer) - 1 : known;
  });
}
