/** The thread that draws: takes a document with a number, answers with the bytes and the number, or says what broke. */
import type { TicketDocument } from "@onsale/contracts/notifications/TicketDocument"
import { constants, setPriority } from "node:os"
import { parentPort } from "node:worker_threads"
import type { Drawing } from "./TicketPress.ts"
import { render } from "./TicketPdf.ts"

// Whoever is buying goes before who waits for a mail. Linux counts this of the thread, others of the whole process.
if (process.platform === "linux") setPriority(constants.priority.PRIORITY_BELOW_NORMAL)

parentPort?.on("message", ({ document, id }: { readonly id: number; readonly document: TicketDocument }) => {
  let drawing: Drawing
  try {
    drawing = { id, bytes: render(document) }
  } catch (error) {
    drawing = { id, broke: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(drawing)
})
