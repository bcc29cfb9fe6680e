/** How a command fails: what the user is told on stderr, and the exit code. Never a stack trace. */
import { Cause, Predicate, Result, Runtime, Schema } from "effect"
import { HttpClientError } from "effect/http"
import { ImportReport } from "@onsale/contracts/catalog/SeatMap"
import { Overloaded } from "@onsale/contracts/http/Problems"
import { bodyOf } from "@onsale/contracts/http/Unanswered"

/** 0 done, 1 refused or in breach, 2 called wrongly, 3 the service cannot be reached. */
export const exitCodes = { refused: 1, usage: 2, unreachable: 3 } as const

/** A line for each thing that is wrong, with its place where it has one. */
const Entry = Schema.Struct({ place: Schema.NullOr(Schema.String), message: Schema.String })
export type Entry = typeof Entry.Type

export class CommandFailure extends Schema.TaggedError<CommandFailure>()("CommandFailure", {
  kind: Schema.Literals(["refused", "usage", "unreachable"]),
  title: Schema.String,
  /** Says more than the title, or what to do about it; null where there is no more to say. */
  detail: Schema.NullOr(Schema.String),
  entries: Schema.Array(Entry),
  /** The problem as it was answered, for `--json`; null where there was none. */
  problem: Schema.NullOr(Schema.Unknown)
}) {
  override readonly [Runtime.errorExitCode] = exitCodes[this.kind]
  override readonly [Runtime.errorReported] = false
  override get message(): string {
    return this.detail === null ? this.title : `${this.title}: ${this.detail}`
  }
}

/** The command has said all itself; only the exit code is left. */
export class Failed extends Schema.TaggedError<Failed>()("Failed", { code: Schema.Int }) {
  override readonly [Runtime.errorExitCode] = this.code
  override readonly [Runtime.errorReported] = false
}

const failure =
  (kind: CommandFailure["kind"]) =>
  (title: string, detail: string | null = null, entries: ReadonlyArray<Entry> = []): CommandFailure =>
    new CommandFailure({ kind, title, detail, entries, problem: null })

export const usage = failure("usage")
export const refused = failure("refused")
export const unreachable = failure("unreachable")

/** What any problem of the API may say beyond its title. Unknown members are kept for `--json`. */
const Problem = Schema.Struct({
  title: Schema.String,
  detail: Schema.optional(Schema.String),
  errors: Schema.optional(
    Schema.Array(
      Schema.Struct({
        path: Schema.Union([
          Schema.String,
          Schema.Array(Schema.Union([Schema.String, Schema.Number])).pipe(Schema.toType)
        ]),
        message: Schema.String
      })
    )
  ),
  seats: Schema.optional(Schema.Array(Schema.Struct({ seatId: Schema.String }))),
  areas: Schema.optional(Schema.Array(Schema.Struct({ areaId: Schema.String }))),
  /** Of vouchers. */
  codes: Schema.optional(Schema.Array(Schema.String)),
  report: Schema.optional(Schema.toType(ImportReport)),
  limit: Schema.optional(Schema.Number),
  at: Schema.optional(Schema.NullOr(Schema.String)),
  code: Schema.optional(Schema.NullOr(Schema.String)),
  orderId: Schema.optional(Schema.String)
})

const decodeProblem = Schema.decodeUnknownResult(Problem)

const detailOf = ({ at, code, detail, limit, orderId }: typeof Problem.Type): string | null => {
  const parts = [
    detail,
    code == null ? undefined : `the provider says ${code}`,
    limit === undefined ? undefined : `the limit is ${limit}`,
    at == null ? undefined : `at ${at}`,
    orderId === undefined ? undefined : `order ${orderId}`
  ].filter(Predicate.isNotUndefined)
  return parts.length === 0 ? null : parts.join("; ")
}

/** A problem answer, decoded or as it came, as a refusal; undefined where it is no problem. */
export const fromProblem = (problem: unknown): CommandFailure | undefined => {
  const decoded = decodeProblem(problem)
  if (Result.isFailure(decoded)) return undefined
  const { areas = [], codes = [], errors = [], report, seats = [], title } = decoded.success
  return new CommandFailure({
    kind: "refused",
    title,
    detail: detailOf(decoded.success),
    entries: [
      ...errors.map(({ message, path }) => ({
        place: Predicate.isString(path) ? path : path.join("."),
        message
      })),
      ...seats.map(({ seatId }) => ({ place: `seat ${seatId}`, message: "" })),
      ...areas.map(({ areaId }) => ({ place: `area ${areaId}`, message: "" })),
      ...codes.map((code) => ({ place: `voucher ${code}`, message: "" })),
      ...(report?.problems ?? []).map(({ message, path, severity }) => ({
        place: path === "" ? "(file)" : path,
        message: `${severity}: ${message}`
      })),
      ...(report !== undefined && report.problemCount > report.problems.length
        ? [{ place: null, message: `and ${report.problemCount - report.problems.length} more` }]
        : [])
    ],
    problem
  })
}

/** The innermost message of a chain of causes: what the socket said. */
const innermost = (error: unknown): string => {
  let current = error
  for (
    let depth = 0;
    depth < 8 && Predicate.hasProperty(current, "cause") && current.cause != null;
    depth++
  ) {
    current = current.cause
  }
  if (
    Predicate.hasProperty(current, "message") &&
    Predicate.isString(current.message) &&
    current.message !== ""
  ) {
    return current.message
  }
  // Node's AggregateError of the addresses it tried has a code and no message.
  return Predicate.hasProperty(current, "code") ? String(current.code) : String(current)
}

export const notReachable = (url: string, error: unknown): CommandFailure =>
  unreachable(
    `Onsale does not answer at ${url}`,
    `${innermost(error)}. Is it running? "npm start" starts it; --url or ONSALE_URL names another address.`
  )

/** Whatever a command may fail with, in the user's terms. */
export const fromUnknown = (error: unknown): CommandFailure => {
  if (error instanceof CommandFailure) return error
  const problem = fromProblem(error)
  if (problem !== undefined) return problem
  if (error instanceof Overloaded)
    return refused(bodyOf(error.reason).title, `try again in ${error.retryAfterSeconds} s`)
  if (Schema.isSchemaError(error)) {
    return refused("This is not what the API takes or answers", error.message.replaceAll("\n", " "))
  }
  if (HttpClientError.isHttpClientError(error))
    return refused("The service answered what it should not", error.message)
  if (Predicate.isTagged(error, "ServeError"))
    return refused("The HTTP server cannot start", listenAdvice(innermost(error)))
  if (Predicate.hasProperty(error, "message") && Predicate.isString(error.message))
    return refused(error.message)
  return refused(String(error))
}

const listenAdvice = (message: string) =>
  message.includes("EADDRINUSE") ? `${message}. Set PORT to another port.` : message

/** The same of a whole cause; a defect is ours, and `--log-level debug` shows where. */
export const fromCause = (cause: Cause.Cause<unknown>): CommandFailure => {
  const error = Cause.findErrorOption(cause)
  if (error._tag === "Some") return fromUnknown(error.value)
  const defect = fromUnknown(Cause.squash(cause))
  return refused("Something broke on our side", `${defect.message} (--log-level debug shows where)`)
}

/** As lines for stderr. */
export const lines = (error: CommandFailure): ReadonlyArray<string> => [
  error.title,
  ...(error.detail === null ? [] : [`  ${error.detail}`]),
  ...error.entries.map(({ message, place }) =>
    place === null ? `  ${message}` : message === "" ? `  - ${place}` : `  - ${place}: ${message}`
  )
]
