/** A thread that ends or hangs on command: the holder of a document says what to do. */
import { existsSync, writeFileSync } from "node:fs"
import { parentPort } from "node:worker_threads"

interface Asked {
  readonly id: number
  readonly document: { readonly holder: string }
}

parentPort?.on("message", ({ document, id }: Asked) => {
  const [what, path = ""] = document.holder.split(" ")
  if (what === "die") process.exit(3)
  if (what === "die-once" && !existsSync(path)) {
    writeFileSync(path, "")
    process.exit(3)
  }
  // Until it is ended from outside.
  if (what === "hang") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage({ id, bytes: new Uint8Array([1]) })
})
