/**
 * A thread that asks Redis for a key now and then, and tells how long each answer took, in milliseconds. It does
 * nothing else, and goes before the threads that make load where that is allowed: what it waits for is Redis, and not
 * its own turn on a core that the load has.
 */
import { Redis } from "ioredis"
import { constants, setPriority } from "node:os"
import { parentPort, workerData } from "node:worker_threads"

const everyMs = 50

if (process.platform === "linux") {
  try {
    setPriority(constants.priority.PRIORITY_HIGHEST)
  } catch {
    // Not allowed to: then its turn is part of what it tells.
  }
}

const redis = new Redis(String(workerData))
// oxlint-disable-next-line no-constant-condition -- ends with the thread
for (;;) {
  const begun = performance.now()
  await redis.get("onsale-slo-probe")
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(performance.now() - begun)
  await new Promise((resolve) => setTimeout(resolve, everyMs))
}
