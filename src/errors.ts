/**
 * Every failure that a person can mend is a SelftrainError: one plain sentence that names the file or
 * field, what was found, and what to do. Anything else that is thrown is a bug and keeps its stack.
 */
export class SelftrainError extends Error {
  /** Process exit code: 1 failed, 2 wrong use, 130 interrupted with the state saved. */
  readonly exitCode: 1 | 2 | 130 = 1;
  override readonly name: string = "SelftrainError";
}

/** A flag, argument or config value is wrong. Raised before anything runs. */
export class UsageError extends SelftrainError {
  override readonly exitCode = 2;
  override readonly name = "UsageError";
}

/** A data file or data set is missing, empty or has a bad row. */
export class DataError extends SelftrainError {
  override readonly name = "DataError";
}

/** A model folder is missing, incomplete or of an architecture that is not supported. */
export class ModelError extends SelftrainError {
  override readonly name = "ModelError";
}

/** A checkpoint is truncated, altered, of another run or of another format. */
export class CheckpointError extends SelftrainError {
  override readonly name = "CheckpointError";
}

/** A run directory exists already, is in use, or cannot be written. */
export class RunDirectoryError extends SelftrainError {
  override readonly name = "RunDirectoryError";
}

/** An engine was asked for what it cannot do (a sequence over the context, an unknown weights version). */
export class PolicyError extends SelftrainError {
  override readonly name = "PolicyError";
}

/** What went wrong between a client and its server. */
export interface ServerFailure {
  readonly method: string;
  readonly path: string;
  /** Of the answer; `null` where none came. */
  readonly status: number | null;
  /** The server's own words, or why there was no answer. */
  readonly detail: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** Whether the server may have done what was asked all the same. */
  readonly inDoubt: boolean;
  /** Of an operation that was taken on and failed: whether the server lays it to the request, `user`, or to itself. */
  readonly category?: string;
  /** Seconds that the server asks to wait. */
  readonly retryAfter?: number;
}

/** A training server refused a request, failed at it, or could not be reached. */
export class ServerError extends SelftrainError {
  override readonly name = "ServerError";
  readonly failure: ServerFailure;
  constructor(message: string, failure: ServerFailure, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** The user interrupted the run; its state is saved. */
export class InterruptedError extends SelftrainError {
  override readonly exitCode = 130;
  override readonly name = "InterruptedError";
}

/** A job of `selftrain reproduce` failed, or its folder holds something else. */
export class ReproductionError extends SelftrainError {
  override readonly name = "ReproductionError";
}
