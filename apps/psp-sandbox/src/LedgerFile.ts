/**
 * The ledger on disk: an append-only file of JSON lines, each a {@link LedgerEvent}.
 *
 * What waits is written in one `write` and one `fsync` for all of it, and only then is anybody told. A process that
 * was killed in the middle of a write leaves a torn last line: it was told to nobody, so it is cut off at the next
 * start. A bad line anywhere else means that the file was damaged, and then it is not opened at all.
 *
 * Two processes on one file (an orphan of a killed parent beside its successor) are fenced like two owners of a
 * journal: the later one writes a line when it opens, and a writer that finds the file longer than it left it stops.
 */
import { Cause, Deferred, Effect, FileSystem, Option, Path, Queue, Result, Schema, type Scope } from "effect"
import { LedgerEvent } from "./LedgerEvent.ts"

export class LedgerFileError extends Schema.TaggedError<LedgerFileError>()("LedgerFileError", {
  reason: Schema.Literals(["Damaged", "Contended", "Unwritable"]),
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

export interface LedgerFile {
  /**
   * Queues an event for the disk. `onDurable` runs once it is there, in the order of the file, and must not throw.
   * False, and nothing is queued, when too much waits already or the file has failed.
   */
  readonly append: (event: LedgerEvent, onDurable: () => void) => boolean
  /** Queues no line: `onDurable` runs once everything queued before is on disk. */
  readonly barrier: (onDurable: () => void) => boolean
  readonly isFull: () => boolean
  /** Never succeeds; fails when the file can no longer be written. Nothing is durable from then on. */
  readonly failed: Effect.Effect<never, LedgerFileError>
}

interface Waiting {
  readonly line: string
  readonly onDurable: () => void
}

/** Lines that may wait for one fsync: about 5 MB, some seconds of the fastest load. */
const mostWaiting = 16_384

const readChunkBytes = 1024 * 1024

const newline = 0x0a

const decodeLine = Schema.decodeUnknownResult(Schema.fromJsonString(LedgerEvent))

/**
 * Opens (or makes) the file at `path`, gives every event in it to `replay`, then writes `opened()` as the line of
 * this process. The file is flushed and closed with the scope.
 */
export const open = Effect.fn("LedgerFile.open")(function* (options: {
  readonly path: string
  readonly replay: (event: LedgerEvent) => void
  readonly opened: () => LedgerEvent
}): Effect.fn.Return<LedgerFile, LedgerFileError, FileSystem.FileSystem | Path.Path | Scope.Scope> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = path.dirname(path.resolve(options.path))
  const file = yield* fs
    .makeDirectory(directory, { recursive: true })
    .pipe(Effect.andThen(fs.open(options.path, { flag: "a+", mode: 0o600 })), Effect.mapError(unwritable))
  const replayed = yield* replayAll(file, options.replay)
  let size = replayed.bytes
  if (replayed.torn > 0) {
    yield* Effect.logWarning(`The ledger ended in a torn line of ${replayed.torn} bytes, which is cut off`)
    yield* Effect.mapError(file.truncate(size), unwritable)
  }

  const queue = yield* Queue.dropping<Waiting>(mostWaiting)
  const failure = yield* Deferred.make<never, LedgerFileError>()

  const write = Effect.fnUntraced(
    function* (batch: ReadonlyArray<Waiting>) {
      let text = ""
      for (const waiting of batch) text += waiting.line
      if (text !== "") {
        const found = Number((yield* file.stat).size)
        if (found !== size) {
          return yield* new LedgerFileError({
            reason: "Contended",
            message: `Another process writes ${options.path}: it has ${found} bytes, ${size} were expected`
          })
        }
        const bytes = new TextEncoder().encode(text)
        yield* file.writeAll(bytes)
        yield* file.sync
        size += bytes.length
      }
      for (const waiting of batch) waiting.onDurable()
    },
    Effect.catchTag("PlatformError", unwritableEffect),
    Effect.uninterruptible
  )

  yield* write([{ line: encodeLine(options.opened()), onDurable: () => {} }])
  yield* syncDirectory(fs, directory)

  // Runs after the writer was interrupted and before the file is closed.
  yield* Effect.addFinalizer(() =>
    Queue.clear(queue).pipe(
      Effect.flatMap(write),
      Effect.catchCause((cause) => Effect.logError("The ledger was closed with lines unwritten", cause))
    )
  )
  yield* Queue.takeAll(queue).pipe(
    Effect.flatMap(write),
    Effect.forever,
    Effect.onExit((exit) => {
      if (exit._tag === "Success" || Cause.hasInterruptsOnly(exit.cause)) return Effect.void
      return Effect.andThen(Queue.shutdown(queue), Deferred.failCause(failure, exit.cause))
    }),
    Effect.forkScoped
  )

  const append = (event: LedgerEvent, onDurable: () => void) =>
    Queue.offerUnsafe(queue, { line: encodeLine(event), onDurable })
  return {
    append,
    barrier: (onDurable) => Queue.offerUnsafe(queue, { line: "", onDurable }),
    isFull: () => queue.state._tag !== "Open" || Queue.isFullUnsafe(queue),
    failed: Deferred.await(failure)
  }
})

const encodeLine = (event: LedgerEvent): string => `${JSON.stringify(event)}\n`

/** Reads the file in chunks; `bytes` is the length of the part that is good, `torn` what follows it. */
const replayAll = Effect.fnUntraced(function* (file: FileSystem.File, replay: (event: LedgerEvent) => void) {
  const decoder = new TextDecoder()
  let carried: Uint8Array = new Uint8Array(0)
  let bytes = 0
  let lines = 0
  /** A bad line may only be the last one, so it is damage as soon as another line follows. */
  let bad: { readonly line: number; readonly bytes: number } | undefined
  while (true) {
    const position = BigInt(bytes + (bad?.bytes ?? 0) + carried.length)
    const read = yield* Effect.mapError(file.readAlloc(readChunkBytes, { position }), unwritable)
    if (Option.isNone(read)) break
    const chunk: Uint8Array = carried.length === 0 ? read.value : concat(carried, read.value)
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      lines++
      if (bad !== undefined) return yield* damaged(bad.line)
      const length = end + 1 - start
      const decoded = decodeLine(decoder.decode(chunk.subarray(start, end)))
      if (Result.isSuccess(decoded)) {
        const event = decoded.success
        yield* Effect.try({ try: () => replay(event), catch: (cause) => damagedBy(lines, cause) })
        bytes += length
      } else {
        bad = { line: lines, bytes: length }
      }
      start = end + 1
    }
    carried = chunk.slice(start)
  }
  if (bad !== undefined && carried.length > 0) return yield* damaged(bad.line)
  return { bytes, torn: (bad?.bytes ?? 0) + carried.length }
})

const concat = (left: Uint8Array, right: Uint8Array): Uint8Array => {
  const both = new Uint8Array(left.length + right.length)
  both.set(left)
  both.set(right, left.length)
  return both
}

/** Makes the name of a new file as durable as its lines. Not every system can open a directory, so it may fail. */
const syncDirectory = (fs: FileSystem.FileSystem, directory: string) =>
  fs.open(directory, { flag: "r" }).pipe(
    Effect.flatMap((handle) => handle.sync),
    Effect.scoped,
    Effect.catch((cause) => Effect.logDebug("The ledger's directory was not synced", cause))
  )

const damaged = (line: number) =>
  new LedgerFileError({
    reason: "Damaged",
    message: `Line ${line} of the ledger cannot be read and is not its last`
  })

const damagedBy = (line: number, cause: unknown) =>
  new LedgerFileError({
    reason: "Damaged",
    message: `Line ${line} of the ledger cannot follow the lines before it`,
    cause
  })

const unwritable = (cause: unknown) =>
  new LedgerFileError({ reason: "Unwritable", message: "The ledger cannot be read or written", cause })

const unwritableEffect = (cause: unknown) => Effect.fail(unwritable(cause))
