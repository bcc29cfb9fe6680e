import { Schema } from "effect"

/**
 * Why an embedded Postgres could not be started, or could not be kept running.
 *
 * - `InUse`: another live process holds the directory; the message names its pid
 * - `NotPermitted`: the account that must run the server cannot use the directory or the binaries
 * - `Unsupported`: there are no binaries for this platform
 * - `InitFailed`: the data directory could not be made
 * - `StartFailed`: the server did not come up; the message ends with the last lines of its log
 * - `Crashed`: the server died again and again and was given up
 */
export class EmbeddedPostgresError extends Schema.TaggedError<EmbeddedPostgresError>()(
  "EmbeddedPostgresError",
  {
    reason: Schema.Literals(["InUse", "NotPermitted", "Unsupported", "InitFailed", "StartFailed", "Crashed"]),
    directory: Schema.String,
    message: Schema.String,
    cause: Schema.optional(Schema.Defect())
  }
) {}
