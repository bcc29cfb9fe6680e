/** The thread that draws and signs: takes a document or a pass with a number, answers with the bytes and the number, or says what broke. */
import { constants, setPriority } from "node:os"
import { parentPort } from "node:worker_threads"
import type { Drawing, PressWork } from "./TicketPress.ts"
import { render } from "./TicketPdf.ts"

// Whoever is buying goes before who waits for a mail. Linux counts this of the thread, others of the whole process.
if (process.platform === "linux") setPriority(constants.priority.PRIORITY_BELOW_NORMAL)

// What signs is loaded by the first pass: most threads only draw.
const made = async (work: PressWork) =>
  "document" in work
    ? render(work.document)
    : (await import("./wallet/ApplePass.ts")).sign(work.pass, work.signer)

parentPort?.on("message", async ({ id, ...work }: { readonly id: number } & PressWork) => {
  let drawing: Drawing
  try {
    drawing = { id, bytes: await made(work) }
  } catch (error) {
    drawing = { id, broke: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(drawing)
})
