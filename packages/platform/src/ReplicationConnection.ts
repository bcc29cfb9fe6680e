/**
 * A connection that receives the changes of a publication from a replication slot, over `pg-logical-replication`.
 *
 * What that library does by itself and would lose changes with is not used: it acknowledges what it has received, not
 * what was handled; it goes on behind its last position, not behind the slot's; and it acknowledges a byte more than it
 * is told, which may be the commit of another transaction.
 */
import {
  Cause,
  Deferred,
  Duration,
  Effect,
  Exit,
  Queue,
  Redacted,
  Schedule,
  Schema,
  type Scope
} from "effect"
import { LogicalReplicationService, type Pgoutput, PgoutputPlugin } from "pg-logical-replication"
import * as RowChange from "./RowChange.ts"

export class ReplicationError extends Schema.TaggedError<ReplicationError>()("ReplicationError", {
  /** `Busy`: another consumer has the slot, which is no failure. `Gone`: there is no such slot, or it was invalidated. */
  reason: Schema.Literals(["Busy", "Gone", "Broken"]),
  message: Schema.String,
  cause: Schema.optional(Schema.Defect())
}) {}

export type Received =
  /** A transaction that was committed begins; `atMs` is the server's time of its commit. */
  | { readonly tag: "begin"; readonly seq: number; readonly xid: number; readonly atMs: number }
  | { readonly tag: "change"; readonly seq: number; readonly change: RowChange.RowChange }
  /** All of the transaction was received. */
  | { readonly tag: "commit"; readonly seq: number; readonly endLsn: bigint }

export interface ReplicationConnection {
  /** In the order of commits; a transaction is never divided by another one. Fails when the connection ends. */
  readonly received: Queue.Dequeue<Received, ReplicationError>
  /** Says that all of it that was received up to this one, and this one too, need not be sent again. */
  readonly handled: (last: Received, endLsn: bigint | null) => Effect.Effect<void>
}

export interface Options {
  readonly url: Redacted.Redacted<string>
  readonly slot: string
  readonly publication: string
  /** Where the slot stands: nothing is acknowledged below it. */
  readonly confirmedLsn: bigint
}

/** Received and not handled yet. Beyond it the server waits, with the rest in its log. */
export const capacity = 4096

/**
 * A consumer that is gone without a word is noticed after it, and another one gets the slot. Its keepalives come
 * several times in between.
 */
const senderTimeout = Duration.seconds(10)
const tellEvery = Duration.seconds(2)
const connectLimit = Duration.seconds(5)
const stopLimit = Duration.seconds(2)

/** SQL states. */
const objectInUse = "55006"
const undefinedObject = "42704"
/** "can no longer access replication slot" is one of them; the slot's state tells which. */
const notInPrerequisiteState = "55000"

/** `16/B374D848` of Postgres as a number of bytes. */
export const parseLsn = (text: string): bigint => {
  const [high = "0", low = "0"] = text.split("/")
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}

const formatLsn = (lsn: bigint): string => `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`

const toError = (cause: unknown): ReplicationError => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  const message = cause instanceof Error ? cause.message : String(cause)
  const reason =
    code === objectInUse
      ? "Busy"
      : code === undefinedObject || code === notInPrerequisiteState
        ? "Gone"
        : "Broken"
  return new ReplicationError({ reason, message, cause })
}

/** What is sent about a table and its types is not a change, and stands in place of what could not be read. */
const nothing: Pgoutput.Message = { tag: "origin", originLsn: null, originName: "" }

/** Counts what it reads, before anybody waits for anything; what it cannot read does not end the process. */
class CountingPlugin extends PgoutputPlugin {
  /** Messages read. */
  count = 0
  /** A transaction has begun whose end was not read yet. */
  open = false
  readonly onBroken: (cause: unknown) => void

  constructor(publication: string, onBroken: (cause: unknown) => void) {
    super({ protoVersion: 1, publicationNames: [publication] })
    this.onBroken = onBroken
  }

  override parse(buffer: Buffer): Pgoutput.Message {
    this.count++
    try {
      const message = super.parse(buffer)
      if (message.tag === "begin") this.open = true
      if (message.tag === "commit") this.open = false
      return message
    } catch (cause) {
      this.onBroken(cause)
      return nothing
    }
  }
}

const toReceived = (message: Pgoutput.Message, seq: number): ReadonlyArray<Received> => {
  switch (message.tag) {
    case "begin":
      return [{ tag: "begin", seq, xid: message.xid >>> 0, atMs: Number(message.commitTime) / 1000 }]
    case "commit":
      return [{ tag: "commit", seq, endLsn: parseLsn(message.commitEndLsn ?? "0/0") }]
    default:
      return RowChange.of(message).map((change) => ({ tag: "change", seq, change }))
  }
}

/** Begins behind what the slot has confirmed. Closing the scope gives the slot back. */
export const open = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<ReplicationConnection, ReplicationError, Scope.Scope> {
  const received = yield* Queue.bounded<Received, ReplicationError>(capacity)
  const started = yield* Deferred.make<void, ReplicationError>()
  const offering = yield* Effect.context<never>()
  let confirmed = options.confirmedLsn
  /** As the plugin counts: the last one that was given out, and the last one that was handled. */
  let given = 0
  let handled = 0

  const fail = (cause: unknown) => {
    const error = toError(cause)
    Deferred.doneUnsafe(started, Exit.fail(error))
    Queue.failCauseUnsafe(received, Cause.fail(error))
  }
  const plugin = new CountingPlugin(options.publication, fail)
  const service = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new LogicalReplicationService(
          {
            connectionString: Redacted.value(options.url),
            application_name: "onsale-changes",
            options: `-c wal_sender_timeout=${Duration.toMillis(senderTimeout)}`,
            keepAlive: true,
            connectionTimeoutMillis: Duration.toMillis(connectLimit)
          },
          { acknowledge: { auto: false, timeoutSeconds: 0 }, flowControl: { enabled: true } }
        )
    ),
    (service) =>
      Effect.promise(() => service.stop().catch(() => undefined)).pipe(
        Effect.timeoutOption(stopLimit),
        Effect.andThen(Queue.shutdown(received))
      )
  )
  /** The library adds one. */
  const tell = (ping: boolean) => void service.acknowledge(formatLsn(confirmed - 1n), ping).catch(fail)
  const confirm = (lsn: bigint) => {
    if (lsn > confirmed) confirmed = lsn
  }

  service.on("error", fail)
  service.on("start", () => {
    Deferred.doneUnsafe(started, Exit.void)
  })
  // It gives out the next one when this one was taken, and reads no more from the socket meanwhile.
  service.on("data", async (_lsn: string, message: Pgoutput.Message) => {
    given++
    for (const item of toReceived(message, given)) {
      if (!Queue.offerUnsafe(received, item)) {
        await Effect.runPromiseWith(offering)(Queue.offer(received, item))
      }
    }
  })
  service.on("heartbeat", (lsn, _time, shouldRespond) => {
    // All before it was read by then, and the last of it is the end of a transaction. If that was handled as well,
    // the log up to here is of no use any more, though most of it is of tables that are not ours.
    if (!plugin.open && handled === plugin.count) confirm(parseLsn(lsn))
    if (shouldRespond) tell(false)
  })
  service.subscribe(plugin, options.slot).then(() => fail(new Error("the server ended the stream")), fail)

  yield* Deferred.await(started).pipe(
    Effect.timeoutOrElse({
      duration: connectLimit,
      orElse: () =>
        new ReplicationError({ reason: "Broken", message: "no stream of changes within 5 seconds" })
    })
  )
  // While the socket is not read, no request for a sign of life is seen: one is given unasked. It asks for one too.
  yield* Effect.forkScoped(
    Effect.repeat(
      Effect.sync(() => tell(true)),
      Schedule.spaced(tellEvery)
    )
  )

  return {
    received,
    handled: (last, endLsn) =>
      Effect.sync(() => {
        handled = last.seq
        if (endLsn === null) return
        confirm(endLsn)
        tell(false)
      })
  }
})
