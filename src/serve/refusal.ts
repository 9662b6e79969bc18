import { SelftrainError } from "../errors.ts";

/** Statuses of what a client can mend; as the result of an operation each is a failure of the category `user`. */
export type RefusalStatus = 400 | 401 | 403 | 404 | 409 | 410 | 413 | 415 | 422 | 429 | 503;

/** A request that cannot be carried out, and why. */
export class Refusal extends SelftrainError {
  override readonly name = "Refusal";

  constructor(
    readonly status: RefusalStatus,
    message: string,
  ) {
    super(message);
  }
}
