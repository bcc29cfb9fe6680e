/**
 * Draws documents, and signs passes, in threads of their own, of a lower priority: a page takes some milliseconds and a
 * signature some tens, in which nobody could buy if it was made where requests are answered. A thread is started by the first document that finds no other
 * free, which costs about a second.
 */
import type { TicketDocument } from "@onsale/contracts/notifications/TicketDocument"
import { Context, type Duration, Effect, Fiber, Layer, Schema, Semaphore } from "effect"
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import * as HarfBuzz from "./HarfBuzz.ts"
import * as PressMetrics from "./PressMetrics.ts"
import type { ApplePassSigner } from "./wallet/ApplePass.ts"
import type { WalletPass } from "./wallet/WalletPass.ts"

/** What the thread is asked for. */
export type PressWork =
  | { readonly document: TicketDocument }
  | { readonly pass: WalletPass; readonly signer: ApplePassSigner }

/** What the thread answers. */
export type Drawing =
  | { readonly id: number; readonly bytes: Uint8Array }
  | { readonly id: number; readonly broke: string }

/** More would only take memory: each has the typefaces for itself. */
const maxThreads = 8

/** A document of a thousand tickets is a few megabytes; a thread that wants more than this is broken. */
const resourceLimits = { maxOldGenerationSizeMb: 512 }

export interface TicketPressOptions {
  /** Documents that are drawn at a time; one a core when left out. */
  readonly threads: number
  /** How long a document may take: one of a thousand tickets takes some ten seconds on a machine that is busy. */
  readonly limit: Duration.Input
  /** The module that a thread runs. */
  readonly script: URL
  /** HarfBuzz; the one that is installed when left out. */
  readonly shaping?: URL
}

const defaults: TicketPressOptions = {
  threads: Math.min(availableParallelism(), maxThreads),
  limit: "90 seconds",
  script: new URL("./TicketPressMain.ts", import.meta.url)
}

/** HarfBuzz cannot be loaded: a ticket with a name in Arabic or Devanagari, say, could not be drawn, and its mail would die. */
export class ShapingUnavailable extends Schema.TaggedError<ShapingUnavailable>()("ShapingUnavailable", {
  cause: Schema.Defect()
}) {
  override get message(): string {
    const why = this.cause instanceof Error ? this.cause.message : String(this.cause)
    return `HarfBuzz, which shapes the text on tickets, cannot be loaded: ${why}`
  }
}

/** The thread ended with a document in its hands. Another may manage: it need not have been the document. */
class ThreadEnded extends Schema.TaggedError<ThreadEnded>()("ThreadEnded", { cause: Schema.Defect() }) {
  override get message(): string {
    return "the thread that draws tickets ended"
  }
}

type Done = (effect: Effect.Effect<Uint8Array, ThreadEnded>) => void

/** One thread for as long as it lives. What it has not drawn when it ends is told so. */
const startThread = (script: URL) => {
  const waiting = new Map<number, Done>()
  const worker = new Worker(script, { resourceLimits })
  let ended: Error | undefined
  const end = (why: Error) => {
    ended ??= why
    for (const done of waiting.values()) done(Effect.fail(new ThreadEnded({ cause: ended })))
    waiting.clear()
  }
  worker.on("message", (drawing: Drawing) => {
    const done = waiting.get(drawing.id)
    waiting.delete(drawing.id)
    done?.("bytes" in drawing ? Effect.succeed(drawing.bytes) : Effect.die(new Error(drawing.broke)))
  })
  worker.on("error", (error) => end(error instanceof Error ? error : new Error(String(error))))
  worker.on("exit", (code) => end(new Error(`the thread that draws tickets ended with ${code}`)))
  // It must not keep the process alive that waits for nothing else.
  worker.unref()
  return { waiting, worker, isEnded: () => ended !== undefined }
}

/** A place for one thread, which is replaced when it has ended. */
interface Place {
  thread: ReturnType<typeof startThread> | undefined
}

export class TicketPress extends Context.Service<
  TicketPress,
  {
    /**
     * The PDF, as `TicketPdf.render` makes it. Waits where as many are drawn as there are threads, so whoever calls
     * bounds how many wait. Dies of a document that cannot be drawn, or not in time, or at which two threads ended.
     */
    readonly draw: (document: TicketDocument) => Effect.Effect<Uint8Array>
    /** The `.pkpass`, as `ApplePass.sign` makes it; waits and dies as `draw` does. */
    readonly sign: (pass: WalletPass, signer: ApplePassSigner) => Effect.Effect<Uint8Array>
  }
>()("@onsale/notifications/TicketPress") {
  static readonly layerWith = (options: Partial<TicketPressOptions>) =>
    Layer.effect(
      TicketPress,
      Effect.gen(function* () {
        const { limit, script, shaping, threads } = { ...defaults, ...options }
        // Here, and not by the first ticket that needs it: who starts the process is there to see it.
        yield* Effect.try({
          try: () => HarfBuzz.check(shaping),
          catch: (cause) => new ShapingUnavailable({ cause })
        })
        const slots = yield* Semaphore.make(threads)
        const places = Array.from({ length: threads }, (): Place => ({ thread: undefined }))
        // The last one that was used is used next: a second thread is only started when two are needed.
        const free = [...places]
        const scope = yield* Effect.scope
        let count = 0
        /** Those that wait for a thread, and those that have one. */
        let asked = 0
        const timed = yield* PressMetrics.make({
          threads,
          working: () => threads - free.length,
          waiting: () => Math.max(0, asked - (threads - free.length))
        })
        yield* Effect.addFinalizer(() =>
          Effect.promise(() => Promise.all(places.map(({ thread }) => thread?.worker.terminate())))
        )

        const print = (place: Place, orderId: string, work: PressWork) =>
          Effect.callback<Uint8Array, ThreadEnded>((resume) => {
            if (place.thread === undefined || place.thread.isEnded()) place.thread = startThread(script)
            const { waiting, worker } = place.thread
            const id = count++
            waiting.set(id, resume)
            // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
            worker.postMessage({ id, ...work })
            return Effect.sync(() => waiting.delete(id))
          }).pipe(
            Effect.timeoutOrElse({
              duration: limit,
              orElse: () => {
                // It cannot be told to stop: it is ended, and the next document starts another.
                const late = place.thread
                place.thread = undefined
                return Effect.andThen(
                  Effect.promise(async () => late?.worker.terminate()),
                  Effect.die(new Error(`the tickets of order ${orderId} were not drawn in time`))
                )
              }
            })
          )

        const take = Effect.sync(() => free.pop() ?? { thread: undefined })
        const giveBack = (place: Place) => Effect.sync(() => free.push(place))

        /** One who goes away leaves the line, but not a thread: that works on, and its place is taken until it is done. */
        const printed = (orderId: string, work: PressWork) =>
          Effect.uninterruptibleMask((restore) =>
            Effect.gen(function* () {
              asked++
              const leave = Effect.sync(() => asked--)
              yield* Effect.onInterrupt(restore(slots.take(1)), () => leave)
              const making = yield* Effect.acquireUseRelease(
                take,
                (place) => timed(Effect.orDie(Effect.retry(print(place, orderId, work), { times: 1 }))),
                giveBack
              ).pipe(
                Effect.ensuring(Effect.andThen(leave, slots.release(1))),
                Effect.interruptible,
                Effect.forkIn(scope, { startImmediately: true })
              )
              return yield* restore(Fiber.join(making))
            })
          )

        return TicketPress.of({
          draw: Effect.fn("TicketPress.draw")((document: TicketDocument) =>
            printed(document.orderId, { document })
          ),
          sign: Effect.fn("TicketPress.sign")((pass: WalletPass, signer: ApplePassSigner) =>
            printed(pass.document.orderId, { pass, signer })
          )
        })
      })
    )

  static readonly layer = this.layerWith({})
}
