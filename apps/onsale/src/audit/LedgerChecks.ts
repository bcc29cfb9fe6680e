/**
 * Our books of payments against the provider's own: the ledger file of the sandbox. The provider books
 * before it answers, so a ledger that is read after our tables knows all that they know.
 */
import { Effect, FileSystem, Option, Result, Schema, Stream } from "effect"
import { graceMs } from "./CrossChecks.ts"
import type { Found } from "./Found.ts"
import type { BookedPayment } from "./PaymentChecks.ts"

/** Lines that move money; of the others only that they are lines of a ledger. */
const Line = Schema.Union([
  Schema.Struct({
    type: Schema.Literal("payment.created"),
    id: Schema.String,
    at: Schema.Int,
    amount: Schema.Int,
    currency: Schema.String,
    reference: Schema.String
  }),
  Schema.Struct({
    type: Schema.Literals(["payment.captured", "payment.refunded"]),
    id: Schema.String,
    at: Schema.Int,
    amount: Schema.Int
  }),
  Schema.Struct({ type: Schema.String, n: Schema.Int })
])
const decodeLine = Schema.decodeUnknownResult(Schema.fromJsonString(Line))

/** The ledger cannot be read, or is none. */
export class LedgerError extends Schema.TaggedError<LedgerError>()("LedgerError", {
  message: Schema.String
}) {}

interface Entry {
  readonly id: string
  readonly reference: string
  readonly currency: string
  captures: number
  captured: number
  refunded: number
  lastAtMs: number
}

const read = Effect.fn("LedgerChecks.read")(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const entries = new Map<string, Entry>()
  let bad: number | undefined
  let lines = 0
  yield* fs.stream(file).pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((text) => {
      lines++
      // A line that is torn may only be the last: its writer died, or is at it now.
      if (bad !== undefined)
        return Effect.fail(new LedgerError({ message: `${file}: line ${bad} is no line of a ledger` }))
      const line = decodeLine(text)
      if (Result.isFailure(line)) bad = lines
      else if ("reference" in line.success) {
        const { at, currency, id, reference } = line.success
        entries.set(id, { id, reference, currency, captures: 0, captured: 0, refunded: 0, lastAtMs: at })
      } else if ("amount" in line.success) {
        const { amount, at, id, type } = line.success
        const entry = entries.get(id)
        if (entry === undefined) bad = lines
        else {
          entry.lastAtMs = at
          if (type === "payment.captured") {
            entry.captures++
            entry.captured += amount
          } else entry.refunded += amount
        }
      }
      return Effect.void
    }),
    Effect.catchTag("PlatformError", ({ message }) =>
      Effect.fail(new LedgerError({ message: `the ledger ${file} cannot be read: ${message}` }))
    )
  )
  return entries
})

/** Compares, and answers what differs. `nowMs` is when our books were read. */
export const run = Effect.fn("LedgerChecks.run")(function* (
  file: string,
  booked: ReadonlyMap<string, BookedPayment>,
  providerIntents: ReadonlySet<string>,
  nowMs: number
) {
  const entries = yield* read(file)
  const found: Array<Found> = []
  const breach = (invariant: "INV-04" | "INV-05", what: string) =>
    found.push({ invariant, kind: "breach", what })
  /** Money at the provider that our books lack is a breach once nobody is at it any more. */
  const ahead = (entry: Entry, ours: Option.Option<BookedPayment>, what: string) => {
    const unfinished = entry.lastAtMs > nowMs - graceMs || Option.exists(ours, ({ isWatched }) => isWatched)
    found.push({ invariant: "INV-05", kind: unfinished ? "in progress" : "breach", what })
  }
  const capturedBy = new Map<string, Entry>()
  let captured = 0
  for (const entry of entries.values()) {
    const { captures, id, reference } = entry
    if (captures === 0) continue
    captured++
    if (captures > 1)
      breach("INV-04", `the provider has captured payment ${id} (${reference}) ${captures} times`)
    const before = capturedBy.get(reference)
    if (before !== undefined) {
      breach("INV-04", `the provider has captured ${before.id} and ${id}, both for payment ${reference}`)
    }
    capturedBy.set(reference, entry)
    const ours = Option.fromUndefinedOr(booked.get(reference))
    if (Option.isNone(ours)) {
      ahead(
        entry,
        ours,
        `the provider has captured ${entry.captured} ${entry.currency} (${id}) for payment ${reference}, which is unknown here`
      )
    } else {
      const { captured, refunded } = ours.value
      if (entry.captured > captured) {
        ahead(
          entry,
          ours,
          `the provider has captured ${entry.captured} for payment ${reference}, our books ${captured}`
        )
      }
      if (entry.refunded > refunded) {
        ahead(
          entry,
          ours,
          `the provider has refunded ${entry.refunded} of payment ${reference}, our books ${refunded}`
        )
      }
    }
  }
  for (const [intentId, { captured, refunded }] of booked) {
    if (captured === 0 || !providerIntents.has(intentId)) continue
    const entry = capturedBy.get(intentId)
    if (entry === undefined || entry.captured < captured) {
      breach(
        "INV-05",
        `payment ${intentId} has ${captured} captured, ${entry?.captured ?? 0} in the provider's ledger`
      )
    } else if (entry.refunded < refunded) {
      breach(
        "INV-05",
        `payment ${intentId} has ${refunded} refunded, ${entry.refunded} in the provider's ledger`
      )
    }
  }
  return { found, captured }
})
