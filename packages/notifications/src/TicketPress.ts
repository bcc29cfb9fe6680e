/**
 * Draws documents in a thread of its own, of a lower priority: a page takes some milliseconds, in which nobody could
 * buy if it was drawn where requests are answered. It is started by the first document, which costs about a second.
 */
import type { TicketDocument } from "@onsale/contracts/notifications/TicketDocument"
import { Context, Effect, Layer, Semaphore } from "effect"
import { Worker } from "node:worker_threads"

/** What the thread answers. */
export type Drawing =
  | { readonly id: number; readonly bytes: Uint8Array }
  | { readonly id: number; readonly broke: string }

/** Documents at the thread: one is drawn, one is ready to be. */
const atATime = 2

/** A document of a thousand tickets is a few megabytes; a thread that wants more than this is broken. */
const resourceLimits = { maxOldGenerationSizeMb: 512 }

const script = new URL("./TicketPressMain.ts", import.meta.url)

type Done = (effect: Effect.Effect<Uint8Array>) => void

/** One thread for as long as it lives. What it has not drawn when it ends is told so. */
const startThread = () => {
  const waiting = new Map<number, Done>()
  const worker = new Worker(script, { resourceLimits })
  let ended: Error | undefined
  const end = (why: Error) => {
    ended ??= why
    for (const done of waiting.values()) done(Effect.die(ended))
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

export class TicketPress extends Context.Service<
  TicketPress,
  {
    /** The PDF, as `TicketPdf.render` makes it. Waits where others are drawn; dies of a document that cannot be. */
    readonly draw: (document: TicketDocument) => Effect.Effect<Uint8Array>
  }
>()("@onsale/notifications/TicketPress") {
  static readonly layer = Layer.effect(
    TicketPress,
    Effect.gen(function* () {
      const slots = yield* Semaphore.make(atATime)
      let thread: ReturnType<typeof startThread> | undefined
      let count = 0
      yield* Effect.addFinalizer(() => Effect.promise(async () => thread?.worker.terminate()))

      const print = (document: TicketDocument) =>
        Effect.callback<Uint8Array>((resume) => {
          // One that broke is replaced; whoever was at it is told, and their job is tried again.
          if (thread === undefined || thread.isEnded()) thread = startThread()
          const { waiting, worker } = thread
          const id = count++
          waiting.set(id, resume)
          // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
          worker.postMessage({ id, document })
          return Effect.sync(() => waiting.delete(id))
        })

      return TicketPress.of({
        draw: Effect.fn("TicketPress.draw")((document: TicketDocument) => slots.withPermit(print(document)))
      })
    })
  )
}
